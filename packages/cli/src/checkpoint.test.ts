import { join } from 'node:path';
import { writeFileSync } from 'node:fs';
import { serializeSafetensors } from '@hypetune/safetensors';
import { expect, test } from 'vitest';
import { scratch } from '../test/scratch.js';
import { readCheckpoint, writeCheckpoint } from './checkpoint.js';

const { folder } = scratch();

test('a snapshot comes back to the last bit', async () => {
  const file = join(folder, 'a.safetensors');
  const snapshot = {
    meta: { version: 1 as const, seed: 3, step: 7, total: 9, plugins: { hype: { a: 1, b: 'x' } } },
    tensors: {
      'weights/a.b': { dtype: 'float32' as const, shape: [2, 1], data: Float32Array.of(0.1, -1e-30) },
      count: { dtype: 'int32' as const, shape: [], data: Int32Array.of(-5) },
      mask: { dtype: 'bool' as const, shape: [3], data: Uint8Array.of(1, 0, 1) },
    },
  };
  await writeCheckpoint(file, snapshot);
  const back = await readCheckpoint(file);
  expect(back.meta).toEqual(snapshot.meta);
  expect(back.tensors).toEqual(snapshot.tensors);
});

test('another safetensors file is refused', async () => {
  const file = join(folder, 'b.safetensors');
  writeFileSync(file, serializeSafetensors([]));
  await expect(readCheckpoint(file)).rejects.toThrow('b.safetensors: this is not a checkpoint of a run.');
});
