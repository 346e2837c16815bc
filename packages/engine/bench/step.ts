// One training step (forward, backward, AdamW) on every engine, in interleaved rounds: of two BERT shapes or, by their names in
// encoder.ts, of published models, for which PyTorch needs transformers.
//   npm run bench -- step [--python PATH] [--shapes BERT-tiny,MiniLM-L6,BERT-base] [--engines native,compiled,bfloat16,wasm,torch,torch-compile,torch-bfloat16]
//                         [--rounds 8] [--steps 10] [--batch 16] [--length 64] [--json FILE]
// There are also the engines pjrt, pjrt-bfloat16 and torch-compile-bfloat16.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { median } from '@hypetune/statistics';
import { shapes } from './bert.js';
import { encoders } from './encoder.js';
import { benchmarked, isTorch, type TorchName, torchModes, type WayName, ways } from './engines.js';
import { countOf, namesOf } from './flags.js';
import { Worker, type Round } from './processes.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    shapes: { type: 'string', default: 'BERT-tiny,MiniLM-L6' },
    engines: { type: 'string', default: 'native,compiled,bfloat16,wasm,torch,torch-compile,torch-bfloat16' },
    rounds: { type: 'string', default: '8' },
    steps: { type: 'string', default: '10' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '64' },
    json: { type: 'string' },
  },
});

const engines = namesOf('--engines', values.engines, benchmarked);
const shapeNames = namesOf('--shapes', values.shapes, [...Object.keys(shapes), ...Object.keys(encoders)]);
const [rounds, steps] = [countOf('--rounds', values.rounds), countOf('--steps', values.steps)];
const size = [countOf('--batch', values.batch), countOf('--length', values.length)].map(String);

/** What was measured of one engine on one shape; times in milliseconds, memory in MiB. */
interface Row {
  shape: string;
  engine: string;
  median: number;
  fastest: number;
  /** Median over the rounds of this engine's time to PyTorch's in the same round. */
  ratio: number | undefined;
  /** Median milliseconds of all processors together, and its ratio: what counts on a machine that does other work too. */
  cpu: number;
  cpuRatio: number | undefined;
  /** JavaScript's part of the median step. */
  script: number | undefined;
  peak: number;
  loss: number;
}

function start(engine: WayName | TorchName, shapeName: string): Worker | undefined {
  if (isTorch(engine)) {
    if (values.python === undefined) return undefined;
    const script = fileURLToPath(new URL('torch_step.py', import.meta.url));
    const model = JSON.stringify(encoders[shapeName] ?? shapes[shapeName]);
    return new Worker(engine, values.python, [script, torchModes[engine], model, ...size]);
  }
  const script = fileURLToPath(new URL('worker.ts', import.meta.url));
  const node = ['--conditions=@hypetune/source', '--import', 'tsx', script];
  return new Worker(engine, process.execPath, [...node, engine, shapeName, ...size]);
}

async function measure(shapeName: string): Promise<Row[]> {
  const workers: Worker[] = [];
  for (const engine of engines) {
    const worker = start(engine, shapeName);
    if (worker === undefined) console.error(`${engine} is left out: it needs --python`);
    else if (await worker.ready()) workers.push(worker);
    else console.error(`${engine} does not run here:\n${worker.errors}`);
  }
  const measured = new Map<Worker, Round[]>(workers.map((worker) => [worker, []]));
  for (let i = 0; i < rounds; i++) {
    for (const worker of workers) measured.get(worker)!.push(await worker.run(steps));
  }
  for (const worker of workers) worker.stop();
  const torch = workers.find(({ engine }) => engine === 'torch');
  return workers.map((worker) => {
    const mine = measured.get(worker)!;
    const script = mine.flatMap((round) => round.script);
    const against = torch === undefined ? undefined : measured.get(torch)!;
    return {
      shape: shapeName,
      engine: worker.engine,
      median: median(mine.flatMap((round) => round.ms)),
      fastest: Math.min(...mine.flatMap((round) => round.ms)),
      ratio: against && median(mine.map((round, i) => median(round.ms) / median(against[i]!.ms))),
      cpu: median(mine.flatMap((round) => round.cpu)),
      cpuRatio: against && median(mine.map((round, i) => median(round.cpu) / median(against[i]!.cpu))),
      script: recorded.has(worker.engine) ? median(script) : undefined,
      peak: Math.max(...mine.map((round) => round.peak)),
      loss: mine.at(-1)!.loss,
    };
  });
}

/** Engines whose JavaScript is over when the step starts. */
const recorded = new Set(Object.entries(ways).flatMap(([name, way]) => ('precision' in way ? [name] : [])));
const rows: Row[] = [];
console.log(
  'shape       engine          median ms  fastest  x PyTorch   cpu ms  x PyTorch  script ms  peak MiB',
);
for (const shapeName of shapeNames) {
  for (const row of await measure(shapeName)) {
    rows.push(row);
    const cells = [
      row.shape.padEnd(11),
      row.engine.padEnd(15),
      row.median.toFixed(1).padStart(9),
      row.fastest.toFixed(1).padStart(8),
      (row.ratio?.toFixed(2) ?? '').padStart(10),
      row.cpu.toFixed(1).padStart(8),
      (row.cpuRatio?.toFixed(2) ?? '').padStart(10),
      (row.script?.toFixed(1) ?? '').padStart(10),
      row.peak.toFixed(0).padStart(9),
    ];
    console.log(cells.join(' '));
  }
}
if (values.json !== undefined)
  writeFileSync(values.json, `${JSON.stringify({ options: values, rows }, undefined, 2)}\n`);
