/**
 * npm run bench -- gradients --python PATH [--families bert,xlnet] [--methods hype,r3f] [--faults] [--json FILE] [--write] [--store]
 *
 * The certificate of gradients. Trains a small model of each family for three updates with each method and compares starting values,
 * gradients, updates and kept weights with the method's formula in PyTorch (float64) on the model of `transformers`, with the same
 * draws. PATH is a Python with torch, transformers 5 and safetensors. --faults plants three or more faults in each method, each of which
 * must show. Ends with 1 where a method differs by more than 1e-4 or a fault does not. --json keeps every family's
 * rows in FILE and leaves out those that are there (all of it takes ten minutes of two cores). --write puts the tables into docs/gradients.md;
 * --store makes the fixture of the test that needs no Python.
 */
import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { CERTIFIED_CASES } from '../test/certificate/cases.js';
import {
  certifyGradients,
  INCOMPARABLE,
  PARTS,
  TOLERANCE,
  type GradientRow,
} from '../test/certificate/certificate.js';
import { CERTIFIED_FAMILIES, STORED_FAMILY } from '../test/certificate/families.js';
import { namesOf } from '../packages/engine/bench/flags.js';
import { fillParts, table, writeCurrent } from './generated.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string', default: 'python3' },
    families: { type: 'string' },
    methods: { type: 'string' },
    faults: { type: 'boolean', default: false },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    store: { type: 'boolean', default: false },
  },
});
/** Those that a flag names; a method's name is that of all its variants. */
function named<T extends { name: string }>(flag: string, all: readonly T[], text?: string): readonly T[] {
  if (text === undefined) return all;
  const known = all.flatMap(({ name }) => [name, name.split('/')[0]!]);
  const names = namesOf(flag, text, [...new Set(known)]);
  return all.filter(({ name }) => names.includes(name) || names.includes(name.split('/')[0]!));
}
const families = values.store ? [STORED_FAMILY] : named('--families', CERTIFIED_FAMILIES, values.families);
const cases = named('--methods', CERTIFIED_CASES, values.methods);

await tf.setBackend('cpu');
const kept =
  values.json !== undefined && existsSync(values.json)
    ? (JSON.parse(readFileSync(values.json, 'utf8')) as GradientRow[])
    : [];
const rows: GradientRow[] = [];
const store = fileURLToPath(new URL('../test/fixtures/gradients.json', import.meta.url));
for (const family of families) {
  const known = kept.filter((row) => row.family === family.name);
  const found = known.length > 0 ? known : [];
  if (known.length === 0)
    for await (const row of certifyGradients({
      ...{ python: values.python, families: [family], cases, faults: values.faults },
      ...(values.store && { store }),
    }))
      found.push(row);
  for (const row of found) report(row);
  rows.push(...found);
  if (values.json !== undefined) {
    const others = kept.filter((row) => families.every(({ name }) => name !== row.family));
    writeFileSync(values.json, `${JSON.stringify([...others, ...rows], undefined, 1)}\n`);
  }
}

function report(row: GradientRow): void {
  const green = row.faults.filter(({ difference }) => difference <= TOLERANCE);
  const parts = PARTS.map((part) => `${part} ${row.parts[part].toExponential(0)}`).join(', ');
  console.error(
    `${row.family}, ${row.method}: ${parts}${row.largest > TOLERANCE ? `; RED at ${row.at}` : ''}` +
      green.map(({ name }) => `; the fault '${name}' does not show`).join(''),
  );
  if (row.largest > TOLERANCE || green.length > 0) process.exitCode = 1;
}

const number = (value: number): string => (value < INCOMPARABLE ? value.toExponential(0) : 'other names');
const differences = table(
  ['method', ...families.map(({ name }) => name)],
  cases.map(({ name: method }) => [
    method,
    ...families.map(({ name }) => {
      const row = rows.find((one) => one.family === name && one.method === method);
      return row ? number(row.largest) : '';
    }),
  ]),
);
const ofCases = cases.flatMap(({ name: method }) => {
  const planted = rows.filter((row) => row.method === method).flatMap((row) => row.faults);
  const whats = new Map(planted.map(({ name, what }) => [name, what]));
  return [...whats].map(([name, what]) => {
    const shown = planted.filter((fault) => fault.name === name).map(({ difference }) => difference);
    return [method, name, what, number(Math.min(...shown))];
  });
});
const planted = families.filter(({ name }) =>
  rows.some((row) => row.family === name && row.faults.length > 0),
);
const faults = `Planted in ${planted.map(({ name }) => name).join(', ')}.\n\n${table(['method', 'fault', 'what it does', 'smallest difference'], ofCases)}`;
const parts = { differences, ...(planted.length > 0 && { faults }) };
if (values.write)
  await writeCurrent(
    new URL('../docs/gradients.md', import.meta.url),
    (page) => fillParts(page, parts),
    false,
  );
else console.log(Object.values(parts).join('\n\n'));
