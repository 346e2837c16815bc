/**
 * npm run bench -- parity [--engines cpu,wasm,native,compiled] [--only NAME]
 *
 * The largest relative difference of logits, loss and gradients between this package and PyTorch's `transformers`, by family and
 * engine, over the stored fixtures; as a table in Markdown. `compiled` is the native engine with the step as one function.
 * A number's difference counts relative to the largest of its tensor (a gradient that only rounding keeps from zero: to a hundredth of the largest gradient).
 */
import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { StepRecorder } from '@hypetune/core';
import { chooseEngine, engineNames } from '@hypetune/engine';
import { namesOf, refuse } from '../packages/engine/bench/flags.js';
import { differencesOf, FIXTURES, type RunStep } from '../test/parity/families.js';

const { values } = parseArgs({
  options: {
    engines: { type: 'string', default: 'cpu,wasm,native,compiled' },
    only: { type: 'string', default: '' },
  },
});
const engines = namesOf('--engines', values.engines, [...engineNames, 'compiled']);
const folders = [...FIXTURES].filter(([name]) => name.includes(values.only)).map(([, folder]) => folder);
if (folders.length === 0)
  refuse(`--only: nothing has '${values.only}' in its name; there are ${[...FIXTURES.keys()].join(', ')}.`);
const familyOf = (folder: string): string =>
  (JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as { model_type: string }).model_type;

/** The largest differences in logits, loss and gradients, by family and engine. */
const largest = new Map<string, Map<string, number[]>>();
for (const engine of engines) {
  await chooseEngine({ force: engine === 'compiled' ? 'native' : engine });
  for (const folder of folders) {
    const { recorder } = tf.backend() as { recorder?: StepRecorder };
    const compiled: RunStep = (step) => recorder!.record(step);
    const { logits, loss, gradients } = await differencesOf(
      folder,
      engine === 'compiled' ? compiled : undefined,
    );
    if (engine === 'compiled' && !recorder!.report().compiled)
      throw new Error(`${folder}: not compiled: ${recorder!.report().lastReason}`);
    const family = largest.get(familyOf(folder)) ?? new Map<string, number[]>();
    largest.set(familyOf(folder), family);
    const before = family.get(engine) ?? [0, 0, 0];
    family.set(
      engine,
      [logits, loss, gradients].map((value, place) => Math.max(value, before[place]!)),
    );
  }
}

const row = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
console.log(
  row(['family', 'configurations', ...engines.map((engine) => `${engine}: logits, loss, gradients`)]),
);
console.log(row(['---', '---', ...engines.map(() => '---')]));
for (const [family, byEngine] of [...largest].sort(([a], [b]) => (a < b ? -1 : 1))) {
  const count = folders.filter((folder) => familyOf(folder) === family).length;
  const cells = engines.map((engine) =>
    byEngine
      .get(engine)!
      .map((value) => value.toExponential(0))
      .join(', '),
  );
  console.log(row([family, String(count), ...cells]));
}
