/**
 * `npm run bench -- trainer --python PATH [--shapes MiniLM-L6,BERT-tiny] [--precisions float32,bfloat16] [--batch 16] [--length 64]
 * [--rounds 6] [--steps 5] [--compile]`: a step of the trainer as fine-tuning has it (dropout 0.1, gradients clipped, AdamW, a schedule)
 * beside the same in PyTorch with the BERT of transformers, in turns; with `--compile` under `torch.compile` in float32 as well.
 * Medians of all steps; ratios are medians of those within a round.
 */
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Precision } from '@hypetune/core';
import { median } from '@hypetune/statistics';
import { countOf, namesOf, refuse } from '../packages/engine/bench/flags.js';
import { Worker } from '../packages/engine/bench/processes.js';
import { table } from '../packages/cli/src/report/table.js';
import { TrainerProcess } from './bench-rounds.js';
import { berts } from './bench-fits.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    shapes: { type: 'string', default: 'MiniLM-L6,BERT-tiny' },
    precisions: { type: 'string', default: 'float32,bfloat16' },
    batch: { type: 'string', default: '16' },
    length: { type: 'string', default: '64' },
    rounds: { type: 'string', default: '6' },
    steps: { type: 'string', default: '5' },
    compile: { type: 'boolean', default: false },
  },
});

interface Round {
  readonly ms: readonly number[];
  readonly cpu: readonly number[];
  readonly peak: number;
}

/** One program that trains: a round of steps whenever it is asked. */
interface Program {
  readonly name: string;
  round(): Promise<Round>;
  stop(): void;
}

const python = values.python ?? refuse('--python: wanted is a Python with torch and transformers.');
const names = namesOf('--shapes', values.shapes, Object.keys(berts));
const precisions = namesOf('--precisions', values.precisions, ['float32', 'bfloat16']);
const [batch, length] = [countOf('--batch', values.batch), countOf('--length', values.length)];
const [rounds, steps] = [countOf('--rounds', values.rounds), countOf('--steps', values.steps)];

async function ours(shape: string, precision: Precision): Promise<Program> {
  const trainer = new TrainerProcess({
    ...{ plugins: {}, engine: 'native', precision },
    ...{ shape: berts[shape]!, batch, length, steps },
  });
  const round = async (reply: ReturnType<TrainerProcess['reply']>): Promise<Round> => {
    const { milliseconds, processor, peak } = await reply;
    return { ms: milliseconds, cpu: processor, peak };
  };
  await round(trainer.reply());
  await round(trainer.round());
  return {
    name: `hypetune ${precision}`,
    round: () => round(trainer.round()),
    stop: () => {
      trainer.stop();
    },
  };
}

async function theirs(shape: string, mode: string): Promise<Program> {
  const script = fileURLToPath(new URL('bench_trainer.py', import.meta.url));
  const worker = new Worker(`PyTorch ${mode}`, python, [
    script,
    mode,
    JSON.stringify(berts[shape]),
    String(batch),
    String(length),
  ]);
  if (!(await worker.ready())) refuse(`--python: PyTorch does not run here: ${worker.errors.trim()}`);
  return {
    name: worker.engine,
    round: () => worker.run(steps),
    stop: () => {
      worker.stop();
    },
  };
}

const lines: string[][] = [];
for (const shape of names) {
  const programs: Program[] = [];
  for (const precision of precisions)
    programs.push(await ours(shape, precision), await theirs(shape, precision));
  if (values.compile) programs.push(await theirs(shape, 'compiled'));
  const measured = new Map<string, Round[]>(programs.map(({ name }) => [name, []]));
  for (let i = 0; i < rounds; i++)
    for (const program of programs) measured.get(program.name)!.push(await program.round());
  for (const program of programs) program.stop();
  const against = (mine: readonly Round[], other: string, what: 'ms' | 'cpu'): string => {
    const base = measured.get(`PyTorch ${other}`);
    return base === undefined
      ? ''
      : median(mine.map((round, i) => median(round[what]) / median(base[i]![what]))).toFixed(2);
  };
  for (const [name, mine] of measured)
    lines.push([
      ...[shape, name, median(mine.flatMap(({ ms }) => ms)).toFixed(1)],
      ...[against(mine, 'float32', 'ms'), against(mine, 'bfloat16', 'ms')],
      median(mine.flatMap(({ cpu }) => cpu)).toFixed(1),
      ...[against(mine, 'float32', 'cpu'), against(mine, 'bfloat16', 'cpu')],
      Math.max(...mine.map(({ peak }) => peak)).toFixed(0),
    ]);
}
const columns = ['shape', 'program', 'ms', 'x float32', 'x bfloat16', 'cpu ms', 'x float32', 'x bfloat16'];
console.log(table([...columns, 'peak MiB'], lines));
