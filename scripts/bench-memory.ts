/**
 * `npm run bench -- memory [--shapes BERT-base,BERT-large] [--rows 16] [--length 128] [--steps 2] [--settings LIST]`: how much memory
 * a process that trains a BERT holds at most, compiling included, each setting in a process of its own. A setting is a precision,
 * `+recompute` behind it if so wanted. `state` is what weights, gradients and both moments need as float32; `start` is what a
 * process holds that trains one row of 8 tokens, so that the difference to it is what the rows of the batch take.
 */
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { table } from '../packages/cli/src/report/table.js';

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'BERT-base,BERT-large' },
    settings: { type: 'string', default: 'float32,float32+recompute,bfloat16,bfloat16+recompute' },
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
for (const name of values.shapes.split(',')) {
  const shape = SHAPES[name];
  if (shape === undefined)
    throw new Error(`--shapes: there are ${Object.keys(SHAPES).join(', ')}, got ${name}`);
  const size = { rows: Number(values.rows), length: Number(values.length), steps: Number(values.steps) };
  for (const setting of values.settings.split(',')) {
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
