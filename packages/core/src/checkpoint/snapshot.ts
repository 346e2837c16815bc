import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from '../errors.js';
import type { PluginState } from '../plugin.js';

/** A tensor's values on the host. */
export interface StoredTensor {
  readonly dtype: 'float32' | 'int32' | 'bool';
  readonly shape: number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}

/** Everything a run needs to go on exactly as if it had not stopped. */
export interface Snapshot {
  /** JSON-able. */
  readonly meta: SnapshotMeta;
  readonly tensors: Record<string, StoredTensor>;
}

export interface SnapshotMeta {
  readonly version: 1;
  readonly seed: number;
  /** Updates made. */
  readonly step: number;
  readonly total: number;
  /** Updates an epoch; absent in older snapshots. */
  readonly stepsPerEpoch?: number;
  /** Calls of `fit` before this one, each with draws of its own; absent in older snapshots. */
  readonly fits?: number;
  /** Who gave pre-trained weights other values before the first update; absent in older snapshots. */
  readonly changedOnLoad?: readonly string[];
  /** Names of the plugins with their plain state. */
  readonly plugins: Record<string, PluginState>;
  /** The epoch that has begun: the losses of its steps added up, and how many. */
  readonly open?: { readonly loss: number; readonly steps: number };
  /** Best value of `keepBest` so far, its epoch, and by which metric it was chosen, which older snapshots do not say. */
  readonly best?: { readonly value: number; readonly epoch: number; readonly metric?: string };
}

const ARRAYS = { float32: Float32Array, int32: Int32Array, bool: Uint8Array };

/** Copies tensors to the host. */
export async function download(
  tensors: ReadonlyMap<string, tf.Tensor>,
): Promise<Record<string, StoredTensor>> {
  const stored: Record<string, StoredTensor> = {};
  for (const [name, tensor] of tensors) {
    const dtype = tensor.dtype as StoredTensor['dtype'];
    // A copy, for the engine may hand out its own memory; tfjs' cpu engine holds what was cast from bool as bytes still.
    const data = new ARRAYS[dtype](await tensor.data());
    stored[name] = { dtype, shape: [...tensor.shape], data };
  }
  return stored;
}

/** A tensor of a snapshot on the engine. Throws when the snapshot has none of that name, or of another shape. */
export function upload(snapshot: Snapshot, name: string, shape?: readonly number[]): tf.Tensor {
  const stored = snapshot.tensors[name];
  if (!stored)
    throw new HypetuneError(
      `resume: the snapshot has no tensor '${name}'; it was made by a run with other plugins.`,
    );
  if (shape && shape.join() !== stored.shape.join())
    throw new HypetuneError(
      `resume: '${name}' has shape [${stored.shape.join(', ')}] in the snapshot and [${shape.join(', ')}] in the model.`,
    );
  return tf.tensor(stored.data, stored.shape, stored.dtype);
}
