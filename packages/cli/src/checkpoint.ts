import { readFile, writeFile } from 'node:fs/promises';
import type { Snapshot } from '@hypetune/core';
import { type DType, parseMetadata, parseSafetensors, streamSafetensors } from '@hypetune/safetensors';

type Dtype = Snapshot['tensors'][string]['dtype'];

const STORED: Readonly<Record<Dtype, DType>> = { float32: 'F32', int32: 'I32', bool: 'BOOL' };
const LOADED = new Map<DType, Dtype>(
  Object.entries(STORED).map(([dtype, stored]) => [stored, dtype as Dtype]),
);

/** Writes a snapshot as one safetensors file, its plain values in the metadata. */
export async function writeCheckpoint(file: string, { meta, tensors }: Snapshot): Promise<void> {
  const stored = Object.entries(tensors).map(
    ([name, { dtype, shape, data }]) => [name, { dtype: STORED[dtype], shape, read: () => data }] as const,
  );
  await writeFile(file, streamSafetensors(stored, { snapshot: JSON.stringify(meta) }));
}

/** Reads what `writeCheckpoint` wrote; throws, naming the file, on anything else. */
export async function readCheckpoint(file: string): Promise<Snapshot> {
  const bytes = await readFile(file);
  const meta = parseMetadata(bytes, file).get('snapshot');
  if (meta === undefined) throw new Error(`${file}: this is not a checkpoint of a run.`);
  const tensors: Snapshot['tensors'] = {};
  for (const [name, { dtype, shape, data }] of parseSafetensors(bytes, file)) {
    const loaded = LOADED.get(dtype);
    if (!loaded) throw new Error(`${file}: tensor "${name}" holds ${dtype}, which no checkpoint has.`);
    tensors[name] = { dtype: loaded, shape: [...shape], data: data as Float32Array };
  }
  return { meta: JSON.parse(meta) as Snapshot['meta'], tensors };
}
