// What every method, and the stacks of the HyPe paper, cost a step next to plain fine-tuning, each in a process of its own that
// takes turns with plain fine-tuning's.
//   npm run bench -- methods [--engine auto] [--shape MiniLM-L6] [--precision float32|bfloat16] [--batch 16]
//                            [--length 64] [--rounds 6] [--steps 3] [--only hype,r3f] [--json FILE]
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { engineNames } from '@hypetune/engine';
import { median } from '@hypetune/statistics';
import { METHODS } from '../packages/cli/src/methods.js';
import { countOf, nameOf, namesOf } from '../packages/engine/bench/flags.js';
import { berts } from './bench-fits.js';
import { TrainerProcess } from './bench-rounds.js';
import type { PluginOptions } from './bench-rounds-worker.js';

interface Recipe {
  readonly name: string;
  readonly plugins: PluginOptions;
  /** Times a plain step that it should cost at most. */
  readonly target?: number;
}

interface Row {
  readonly name: string;
  /** Median milliseconds a step. */
  readonly milliseconds: number;
  /** Median over the rounds of its time to plain fine-tuning's in the same round. */
  readonly ratio: number;
  /** Largest resident memory of the process, MiB, and next to plain fine-tuning's. */
  readonly peak: number;
  readonly peakRatio: number;
  readonly target?: number;
}

const targets: Readonly<Record<string, number>> = {
  hype: 1.05,
  ...Object.fromEntries(
    ['child-tuning', 'noisytune', 'l2-sp', 'recadam', 'mixout'].map((name) => [name, 1.15]),
  ),
  ...Object.fromEntries(['r3f', 'r4f', 'r-drop'].map((name) => [name, 2.1])),
};
const bare = { hype: { hiddenDropout: 0 } };
/** Options without which a method cannot run; the worker makes a model of the same shape of a teacher's name. */
const needed: PluginOptions = { distillation: { teacher: 'same' } };
const recipes: readonly Recipe[] = [
  ...[...METHODS.keys()].map((name) => ({
    name,
    plugins: { [name]: needed[name] ?? {} },
    ...targetOf(name),
  })),
  { name: 'child-tuning (F)', plugins: { 'child-tuning': { mode: 'F' } }, ...targetOf('child-tuning') },
  { name: 'l2-sp (decoupled)', plugins: { 'l2-sp': { mode: 'decoupled' } }, ...targetOf('l2-sp') },
  ...['asam', 'gsam', 'friendly'].map((variant) => ({
    name: `sam (${variant})`,
    plugins: { sam: { variant } },
  })),
  { name: 'hype (attention)', plugins: { hype: { site: 'attention' } }, ...targetOf('hype') },
  { name: 'hype (relative)', plugins: { hype: { relative: true } }, ...targetOf('hype') },
  { name: 'cutoff (feature)', plugins: { cutoff: { kind: 'feature' } } },
  // As the paper trains: without hidden dropout.
  { name: 'hype (no hidden dropout)', plugins: bare, ...targetOf('hype') },
  { name: 'hype + r-drop', plugins: { ...bare, 'r-drop': {} } },
  { name: 'hype + r3f', plugins: { ...bare, r3f: {} } },
  { name: 'hype + child-tuning', plugins: { ...bare, 'child-tuning': {} } },
  { name: 'hype + noisytune', plugins: { ...bare, noisytune: {} } },
];

const { values } = parseArgs({
  options: {
    engine: { type: 'string', default: 'auto' },
    shape: { type: 'string', default: 'MiniLM-L6' },
    precision: { type: 'string', default: 'float32' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '6' },
    steps: { type: 'string', default: '3' },
    only: { type: 'string' },
    json: { type: 'string' },
  },
});

const engine = nameOf('--engine', values.engine, ['auto', ...engineNames]);
const shape = berts[nameOf('--shape', values.shape, Object.keys(berts))]!;
const precision = nameOf('--precision', values.precision, ['float32', 'bfloat16'] as const);
const [batch, length] = [countOf('--batch', values.batch), countOf('--length', values.length)];
const [rounds, steps] = [countOf('--rounds', values.rounds), countOf('--steps', values.steps)];
const known = recipes.map(({ name }) => name);
const chosen = namesOf('--only', values.only ?? known.join(), known);

const start = (plugins: PluginOptions): TrainerProcess =>
  new TrainerProcess({ plugins, engine, shape, precision, batch, length, steps });

async function main(): Promise<void> {
  const plain = start({});
  const started = await plain.reply();
  await plain.round();
  process.stdout.write(
    `${started.engine}\n${values.shape} in ${precision}, ${batch} x ${length} tokens, ${rounds} rounds of ${steps} steps\n\n` +
      `${'method'.padEnd(26)} ${'ms a step'.padStart(10)} ${'x plain'.padStart(8)} ${'target'.padStart(7)} ${'peak MiB'.padStart(9)} ${'x plain'.padStart(8)}\n`,
  );
  const rows: Row[] = [];
  for (const recipe of recipes.filter(({ name }) => chosen.includes(name))) {
    const runner = start(recipe.plugins);
    try {
      await runner.reply();
      await runner.round();
      const ratios: number[] = [];
      const times: number[] = [];
      let [peak, plainPeak] = [0, 1];
      for (let round = 0; round < rounds; round++) {
        const base = await plain.round();
        const mine = await runner.round();
        times.push(...mine.milliseconds);
        ratios.push(median(mine.milliseconds) / median(base.milliseconds));
        [peak, plainPeak] = [mine.peak, base.peak];
      }
      const { name, target } = recipe;
      const row: Row = {
        name,
        milliseconds: median(times),
        ratio: median(ratios),
        peak,
        peakRatio: peak / plainPeak,
        ...(target !== undefined && { target }),
      };
      rows.push(row);
      process.stdout.write(`${line(row)}\n`);
    } catch (error) {
      process.stdout.write(`${recipe.name.padEnd(26)} failed: ${(error as Error).message}\n`);
      process.exitCode = 1;
    } finally {
      runner.stop();
    }
  }
  plain.stop();
  if (values.json !== undefined)
    writeFileSync(
      values.json,
      `${JSON.stringify({ ...values, engine: started.engine, rows }, undefined, 2)}\n`,
    );
}

function line({ name, milliseconds, ratio, target, peak, peakRatio }: Row): string {
  const cells = [
    milliseconds.toFixed(1).padStart(10),
    ratio.toFixed(2).padStart(8),
    (target === undefined ? '' : `${ratio <= target ? '' : '!'}${target.toFixed(2)}`).padStart(7),
    peak.toFixed(0).padStart(9),
    peakRatio.toFixed(2).padStart(8),
  ];
  return `${name.padEnd(26)} ${cells.join(' ')}`;
}

function targetOf(name: string): { target?: number } {
  const target = targets[name];
  return target === undefined ? {} : { target };
}

await main();
