import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import type { Binding, TensorStore } from './binding.js';
import { correctKernels } from './corrections.js';
import type { StepRecorder } from './recorder.js';

/** The parts of tfjs-node's backend class that are used here, and a recorder of steps. */
export interface RecordingBackend<S extends TensorStore = TensorStore> extends tf.KernelBackend {
  readonly binding: Binding<S>;
  /** Runs training steps as compiled functions. */
  readonly recorder: StepRecorder;
  readonly tensorMap: tf.DataStorage<{
    id: number;
    values: tf.backend_util.BackendValues | null;
    shape: number[];
    dtype: number;
  }>;
  getInputTensorIds(tensors: readonly tf.TensorInfo[]): number[];
  createOutputTensor(metadata: { id: number; shape: number[]; dtype: number }): tf.Tensor;
  getNumOfTFTensors(): number;
}

export type BackendClass<S extends TensorStore> = new (
  binding: Binding<S>,
  packageName: string,
) => Omit<RecordingBackend<S>, 'recorder'>;

/**
 * Loads tfjs-node's kernels, registered for a backend `tensorflow`, and its backend class, from the file that this package
 * has of them or, in a checkout, from tfjs-node. Its addon is never loaded.
 */
export function loadKernels<S extends TensorStore>(): BackendClass<S> {
  const backend = loadBackend<S>();
  if (stock === undefined) {
    correctKernels();
    stock = tf.getKernelsForBackend('tensorflow');
  }
  return backend;
}

/** The kernels as tfjs-node registers them, for which `loadKernels` has to have been called. */
export const stockKernels = (): readonly tf.KernelConfig[] => stock!;

let stock: tf.KernelConfig[] | undefined;

function loadBackend<S extends TensorStore>(): BackendClass<S> {
  // tfjs-node calls what Node 22 warns of and Node 23 removed.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] = (value: unknown): boolean => value === null || value === undefined;
  legacy['isArray'] = Array.isArray;
  const require = createRequire(import.meta.url);
  const bundled = fileURLToPath(new URL('../tfjs-node.cjs', import.meta.url));
  const load = (path: string): BackendClass<S> =>
    (require(path) as { NodeJSKernelBackend: BackendClass<S> }).NodeJSKernelBackend;
  if (existsSync(bundled)) return load(bundled);
  if (tf.getKernelsForBackend('tensorflow').length === 0)
    require('@tensorflow/tfjs-node/dist/register_all_kernels');
  return load('@tensorflow/tfjs-node/dist/nodejs_kernel_backend');
}

/** Reads the tensors of a backend without blocking the event loop, and counts no bytes. */
export function readInBackground<S extends TensorStore>(
  backend: Omit<RecordingBackend<S>, 'recorder'>,
): void {
  backend.read = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    if (data.values !== null) return Promise.resolve(data.values);
    return backend.binding.tensorData(data.id) as Promise<tf.backend_util.BackendValues>;
  };
  backend.memory = () => ({ unreliable: false, numBytes: 0 }) as ReturnType<tf.KernelBackend['memory']>;
}
