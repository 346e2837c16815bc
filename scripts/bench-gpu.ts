/**
 * npm run bench -- gpu [--python PATH] [--shapes MiniLM-L6,BERT-base,BERT-large] [--batch 32] [--length 128] [--rounds 5]
 *                      [--steps 5] [--minutes 8] [--json FILE]
 * npm run bench -- gpu --pack FOLDER
 *
 * What the engine on a PJRT plugin does on this machine, beside PyTorch (with --python) on the same device: the doctor's words,
 * the losses of ten steps beside those of a CPU engine, steps in float32 and bfloat16 beside eager, compiled and autocast
 * PyTorch, memory, and a whole run of MRPC's size with random weights and rows. What the minutes do not suffice for is left out
 * and named. Without a GPU it runs on the CPU plugin that tests use, small, and says so.
 *
 * --pack makes a folder of it for a machine with Python alone: `python3 run.py [options]` there.
 */
import '@tensorflow/tfjs-backend-cpu';
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer, type Precision } from '@hypetune/core';
import { chooseEngine, doctor, listPlugins } from '@hypetune/engine';
import { bertConfig, bertModel } from '@hypetune/models';
import { shapes } from '../packages/engine/bench/bert.js';
import { isTorch, torchModes, type TorchName, type WayName } from '../packages/engine/bench/engines.js';
import { countOf, namesOf, refuse } from '../packages/engine/bench/flags.js';
import { Worker, type Round } from '../packages/engine/bench/processes.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    shapes: { type: 'string' },
    batch: { type: 'string' },
    length: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    steps: { type: 'string', default: '5' },
    minutes: { type: 'string', default: '8' },
    json: { type: 'string' },
    part: { type: 'string' },
    precision: { type: 'string' },
  },
});

const [rounds, steps] = [countOf('--rounds', values.rounds), countOf('--steps', values.steps)];
const names =
  values.shapes === undefined ? undefined : namesOf('--shapes', values.shapes, Object.keys(shapes));
const minutes = Number(values.minutes);
if (!(minutes > 0)) refuse(`--minutes: wanted is a number above 0, got '${values.minutes}'.`);
for (const [flag, text] of [
  ['--batch', values.batch],
  ['--length', values.length],
] as const)
  if (text !== undefined) countOf(flag, text);

const here = fileURLToPath(import.meta.url);
/** Whether this is the packed program, of one file. */
const isPacked = here.endsWith('.mjs');
const beside = (source: string, packed: string): string =>
  fileURLToPath(new URL(isPacked ? packed : source, import.meta.url));
const nodeFlags = isPacked ? [] : ['--conditions=@hypetune/source', '--import', 'tsx'];

if (values.part === 'doctor') console.log(JSON.stringify(await doctor()));
else if (values.part === 'run') console.log(JSON.stringify(await wholeRun(values.precision as Precision)));
else await measureAll();

/** Three epochs over as many rows as MRPC has, with MiniLM-L6's sizes or, on a processor, few rows with BERT-tiny's. */
async function wholeRun(precision: Precision): Promise<object> {
  await chooseEngine({ force: 'pjrt' });
  const isSmall = process.env['HYPETUNE_BENCH_SMALL'] !== undefined;
  const name = isSmall ? 'BERT-tiny' : 'MiniLM-L6';
  const size = shapes[name]!;
  const [rows, length] = [isSmall ? 128 : 3668, 64];
  const model = bertModel(
    bertConfig({
      hidden_size: size.hidden,
      num_hidden_layers: size.layers,
      num_attention_heads: size.heads,
      intermediate_size: size.intermediate,
    }),
    { seed: 1 },
  );
  const ids = Int32Array.from({ length: rows * length }, (_, i) => 1000 + ((i * 7919) % 20_000));
  const inputs = [
    tf.tensor2d(ids, [rows, length], 'int32'),
    tf.ones([rows, length], 'int32'),
    tf.zeros([rows, length], 'int32'),
  ];
  const data = tensorData(
    inputs,
    Array.from({ length: rows }, (_, row) => row & 1),
  );
  const trainer = new Trainer({
    model,
    batchSize: 32,
    epochs: 3,
    seed: 1,
    compile: true,
    precision,
    onWarning: () => undefined,
  });
  const start = performance.now();
  const { steps, lastLoss } = await trainer.fit(data);
  return {
    model: `${name}, random weights`,
    data: 'random rows: this is about time, not accuracy',
    ...{ precision, rows, length, epochs: 3, steps, lastLoss },
    seconds: (performance.now() - start) / 1000,
  };
}

interface Row {
  shape: string;
  engine: string;
  /** Milliseconds of a step. */
  median: number;
  /** Median over the rounds of the time to that of PyTorch's eager autocast, for bfloat16, or eager, in the same round. */
  ratio: number | undefined;
  /** JavaScript's part of a step in per cent. */
  script: number | undefined;
  /** MiB: of the device on a GPU, else of the process. */
  peak: number;
  loss: number;
}

async function measureAll(): Promise<void> {
  const end = performance.now() + 60_000 * minutes;
  const skipped: string[] = [];
  const hasTime = (what: string): boolean => {
    if (performance.now() < end) return true;
    skipped.push(what);
    return false;
  };
  const child = (...parameters: string[]): object => {
    const { stdout, stderr } = spawnSync(process.execPath, [...nodeFlags, here, ...parameters], {
      encoding: 'utf8',
      timeout: Math.max(1000, Math.round(end - performance.now())),
      maxBuffer: 1e8,
    });
    const line = stdout.trim().split('\n').at(-1) ?? '';
    return line.startsWith('{') ? (JSON.parse(line) as object) : { error: stderr.slice(-2000) };
  };
  const report = await doctor();
  const isGpu = report.nvidia !== undefined;
  if (!isGpu) {
    const plugin = (await listPlugins()).find(({ device }) => device === 'cpu');
    process.env['HYPETUNE_PJRT_PLUGIN'] ??= plugin?.path ?? '';
    process.env['HYPETUNE_BENCH_SMALL'] = '1';
    console.log(
      'There is no NVIDIA GPU here: these are figures of a PJRT plugin for processors, on small shapes.',
    );
  }
  const result: Record<string, unknown> = { date: new Date().toISOString(), isGpu, options: values };
  result['doctor'] = child('--part', 'doctor');
  const [batch, length] = [values.batch ?? (isGpu ? '32' : '4'), values.length ?? (isGpu ? '128' : '32')];
  const worker: Start = (engine, shape, size = [batch, length]) => {
    if (!isTorch(engine))
      return new Worker(engine, process.execPath, [
        ...nodeFlags,
        beside('../packages/engine/bench/worker.ts', 'worker.mjs'),
        engine,
        shape,
        ...size,
      ]);
    const script = beside('../packages/engine/bench/torch_step.py', '../torch_step.py');
    return new Worker(engine, values.python!, [
      script,
      torchModes[engine],
      JSON.stringify(shapes[shape]),
      ...size,
    ]);
  };
  if (hasTime('parity')) result['parity'] = await parity(worker);
  const rows: Row[] = [];
  result['steps'] = rows;
  const engines: (WayName | TorchName)[] = ['pjrt', 'pjrt-bfloat16'];
  if (values.python !== undefined) engines.push(...(Object.keys(torchModes) as TorchName[]));
  for (const shape of names ?? (isGpu ? ['MiniLM-L6', 'BERT-base', 'BERT-large'] : ['BERT-tiny'])) {
    if (!hasTime(shape)) continue;
    rows.push(...(await measure(shape, engines, worker, hasTime)));
  }
  result['runs'] = (['float32', 'bfloat16'] as const).flatMap((precision) =>
    hasTime(`run in ${precision}`) ? [child('--part', 'run', '--precision', precision)] : [],
  );
  result['skipped'] = skipped;
  for (const row of rows)
    console.log(
      row.shape.padEnd(11),
      row.engine.padEnd(24),
      `${row.median.toFixed(2)} ms`.padStart(12),
      (row.ratio === undefined ? '' : `${row.ratio.toFixed(2)} x`).padStart(8),
      (row.script === undefined ? '' : `${row.script.toFixed(0)} % JavaScript`).padStart(16),
      `${row.peak.toFixed(0)} MiB`.padStart(11),
    );
  console.log('parity', JSON.stringify(result['parity']));
  console.log('runs', JSON.stringify(result['runs']));
  if (skipped.length > 0) console.log(`no time was left for: ${skipped.join(', ')}`);
  if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(result, undefined, 2)}\n`);
}

type Start = (engine: WayName | TorchName, shape: string, size?: readonly string[]) => Worker;

/** The largest difference of ten steps' losses to those of a CPU engine, relative to them. */
async function parity(start: Start): Promise<object> {
  const losses: Record<string, number[]> = {};
  for (const engine of ['pjrt', 'compiled', 'wasm'] as const) {
    if (Object.keys(losses).length === 2) break;
    const worker = start(engine, 'BERT-tiny', ['4', '32']);
    if (!(await worker.ready())) continue;
    losses[engine] = [];
    for (let i = 0; i < 10; i++) losses[engine].push((await worker.run(1)).loss);
    worker.stop();
  }
  const [own, other] = Object.values(losses);
  if (own === undefined || other === undefined) return { error: 'no two engines work here', losses };
  const differences = own.map((loss, i) => Math.abs(loss - other[i]!) / Math.abs(other[i]!));
  return { engines: Object.keys(losses), largestDifference: Math.max(...differences), losses };
}

async function measure(
  shape: string,
  engines: readonly (WayName | TorchName)[],
  start: Start,
  hasTime: (what: string) => boolean,
): Promise<Row[]> {
  const measured = new Map<string, Round[]>();
  // One at a time has the device: rounds cannot take turns where each holds a model in its memory.
  for (const engine of engines) {
    if (!hasTime(`${shape} ${engine}`)) continue;
    const worker = start(engine, shape);
    if (!(await worker.ready())) {
      console.error(`${engine} does not run here:\n${worker.errors.slice(-2000)}`);
      continue;
    }
    const mine: Round[] = [];
    for (let i = 0; i < rounds; i++) mine.push(await worker.run(steps));
    worker.stop();
    measured.set(engine, mine);
  }
  return [...measured].map(([engine, mine]) => {
    const against = measured.get(engine.endsWith('bfloat16') ? 'torch-bfloat16' : 'torch');
    const ms = median(mine.flatMap((round) => round.ms));
    return {
      shape,
      engine,
      median: ms,
      ratio: against && ms / median(against.flatMap((round) => round.ms)),
      script: engine.startsWith('pjrt')
        ? (100 * median(mine.flatMap((round) => round.script))) / ms
        : undefined,
      peak: Math.max(...mine.map((round) => round.peak)),
      loss: mine.at(-1)!.loss,
    };
  });
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}
