import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Measured, Size } from './bench-fits-worker.js';

const bert = (hidden: number, layers: number, heads = hidden / 64): Record<string, number> => ({
  vocab_size: 30522,
  max_position_embeddings: 512,
  hidden_size: hidden,
  num_hidden_layers: layers,
  num_attention_heads: heads,
  intermediate_size: 4 * hidden,
});

/** Shapes of BERT that benchmarks of whole trainers know, by name. */
export const berts: Readonly<Record<string, Record<string, number>>> = {
  'BERT-tiny': bert(128, 2),
  'BERT-mini': bert(256, 4),
  'MiniLM-L6': bert(384, 6, 12),
  'BERT-base': bert(768, 12),
  'BERT-large': bert(1024, 24),
};

/** Trains a BERT in a process of its own. `setting` is a precision, `+recompute` behind it if so wanted. */
export function trainApart(
  shape: string,
  size: Size,
  setting: string,
  environment: Readonly<Record<string, string>> = {},
): Measured {
  const [precision, recompute] = setting.split('+');
  const file = fileURLToPath(new URL('bench-fits-worker.ts', import.meta.url));
  const words = [berts[shape], size, { precision, recompute: recompute !== undefined }].map((word) =>
    JSON.stringify(word),
  );
  const node = ['--conditions=@hypetune/source', '--import', 'tsx', file];
  const { status, stdout, stderr } = spawnSync(process.execPath, [...node, ...words], {
    encoding: 'utf8',
    env: { ...process.env, ...environment },
  });
  if (status !== 0) throw new Error(`${setting} ended with ${status}: ${stderr.slice(-500)}`);
  return JSON.parse(stdout) as Measured;
}
