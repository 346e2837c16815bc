/**
 * `npm run bench -- memory [--shapes BERT-base,BERT-large] [--rows 16] [--length 128] [--steps 2] [--settings LIST]`: how much memory
 * a process that trains a BERT holds at most, compiling included, each setting in a process of its own. A setting is a precision,
 * `+recompute` behind it if so wanted. `state` is what weights, gradients and both moments need as float32; `start` is what a
 * process holds that trains one row of 8 tokens, so that the difference to it is what the rows of the batch take.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { countOf, namesOf } from '../packages/engine/bench/flags.js';
import { table } from '../packages/cli/src/report/table.js';

const SETTINGS = ['float32', 'float32+recompute', 'bfloat16', 'bfloat16+recompute'];
const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'BERT-base,BERT-large' },
    settings: { type: 'string', default: SETTINGS.join() },
    rows: { type: 'string', default: '16' },
    length: { type: 'string', default: '128' },
    steps: { type: 'string', default: '2' },
  },
});

const common = { vocab_size: 30522, max_position_embeddings: 512 };
const bert = (hidden_size: number, num_hidden_layers: number): Record<string, number> => ({
  ...common,
  ...{ hidden_size, num_hidden_layers },
  ...{ num_attention_heads: hidden_size / 64, intermediate_size: 4 * hidden_size },
});
const SHAPES: Readonly<Record<string, Record<string, number>>> = {
  'BERT-mini': bert(256, 4),
  'BERT-base': bert(768, 12),
  'BERT-large': bert(1024, 24),
};

interface Measured {
  readonly seconds: readonly number[];
  readonly peak: number;
  readonly parameters: number;
}

function measure(shape: object, size: object, setting: string): Measured {
  const [precision, recompute] = setting.split('+');
  const file = fileURLToPath(new URL('bench-memory-worker.ts', import.meta.url));
  const words = [shape, size, { precision, recompute: recompute !== undefined }].map((word) =>
    JSON.stringify(word),
  );
  const node = ['--conditions=@hypetune/source', '--import', 'tsx', file];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...words], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${setting} ended with ${status}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout) as Measured;
}

const lines: string[][] = [];
const names = namesOf('--shapes', values.shapes, Object.keys(SHAPES));
const settings = namesOf('--settings', values.settings, SETTINGS);
const [rows, length] = [countOf('--rows', values.rows), countOf('--length', values.length)];
const size = { rows, length, steps: countOf('--steps', values.steps) };
for (const name of names) {
  const shape = SHAPES[name]!;
  for (const setting of settings) {
    const start = measure(shape, { rows: 1, length: 8, steps: 1 }, setting);
    const full = measure(shape, size, setting);
    const state = (16 * full.parameters) / 2 ** 20;
    lines.push([
      ...[name, setting, state.toFixed(0), start.peak.toFixed(0), full.peak.toFixed(0)],
      ...[(full.peak - start.peak).toFixed(0), full.seconds.at(-1)!.toFixed(2)],
    ]);
  }
}
console.log(table(['shape', 'setting', 'state MiB', 'start MiB', 'peak MiB', 'rows MiB', 's a step'], lines));
