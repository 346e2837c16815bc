/**
 * npm run certify [-- PART ... --publish]
 *
 * The largest differences between what this package computes and what it should: other people's implementations, its own on
 * another engine, in another order, padded or split otherwise. Prints a table; exits with 1 where a difference is beyond
 * its tolerance. --publish writes the parts that were run to docs/fidelity.json, from which `npm run docs` makes
 * docs/reliability.md.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Certificate, Certified } from './certificate.js';
import { families } from './families.js';
import { methods } from './methods.js';
import { accumulation, engines, padding, pairs } from './runs.js';
import { trajectory } from './trajectory.js';

/** The parts of the table; another one is one more line. */
const certificates: readonly Certificate[] = [
  families,
  trajectory,
  methods,
  pairs,
  padding,
  engines,
  accumulation,
];
const FILE = new URL('../../docs/fidelity.json', import.meta.url);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { publish: { type: 'boolean', default: false } },
});
const names = certificates.map(({ name }) => name);
const unknown = positionals.find((name) => !names.includes(name));
if (unknown !== undefined) {
  console.error(`certify: there is no part '${unknown}'; there are ${names.join(', ')}.`);
  process.exit(1);
}
for (const { name, summary, compare } of certificates) {
  if (positionals.length > 0 && !positionals.includes(name)) continue;
  const comparisons = await compare();
  console.log(`\n${name}: ${summary}`);
  for (const { name: row, difference, tolerance, note } of comparisons) {
    const beyond = !(difference <= tolerance);
    if (beyond) process.exitCode = 1;
    const allowed = tolerance === Infinity ? (note ?? '') : `at most ${tolerance.toExponential(0)}`;
    console.log(
      `  ${row.padEnd(44)} ${difference.toExponential(1).padStart(8)}  ${allowed}${beyond ? '  BEYOND' : ''}`,
    );
  }
  if (values.publish) publish({ name, summary, comparisons });
}

/** Puts a part in the place of what the file has of it. */
function publish(part: Certified): void {
  const before = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Certified[]) : [];
  const parts = new Map([...before, part].map((known) => [known.name, known]));
  const inOrder = names.flatMap((name) => parts.get(name) ?? []);
  writeFileSync(FILE, `${JSON.stringify(inOrder, null, 1)}\n`);
}
