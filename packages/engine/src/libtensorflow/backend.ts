import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { Immediate } from '../compile/immediate.js';
import { repairPrograms } from '../compile/program-cache.js';
import { StepRecorder } from '../compile/recorder.js';
import { registerFusedKernels } from '../kernels/register.js';
import { Binding } from './binding.js';
import type { Library } from './library.js';
import { isCrowded } from './mappings.js';
import { hasBfloat16 } from './processor.js';
import { Runtime } from './values.js';

/** How the native engine registers itself with tfjs. */
export interface NativeBackendOptions {
  /** Name of the backend; the stock kernels are registered for 'tensorflow', the default. */
  readonly name?: string;
  /** 'cuda' needs a CUDA build of TensorFlow and an NVIDIA GPU. Default 'cpu'. */
  readonly device?: 'cpu' | 'cuda';
  /** Compiled steps to keep at most, 20 to 50 MB each; for a further one all are given back. Default 64. */
  readonly graphs?: number;
}

/** The parts of tfjs-node's backend class that are used here. */
export interface NativeBackend extends tf.KernelBackend {
  readonly binding: Binding;
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

interface TfjsNode {
  readonly NodeJSKernelBackend: BackendClass;
}

type BackendClass = new (binding: Binding, packageName: string) => Omit<NativeBackend, 'recorder'>;

/** Compiled kernels to keep at most for steps that are not compiled: one for each shape. */
const KERNELS = 256;
/** Priority above every other backend that tfjs registers. */
const PRIORITY = 4;

/**
 * Registers the native engine as a tfjs backend (`tf.setBackend('tensorflow')` then selects it). The kernels are
 * tfjs-node's own JavaScript; its addon is never loaded.
 */
export function registerNativeBackend(library: Library, options: NativeBackendOptions = {}): void {
  const name = options.name ?? 'tensorflow';
  const kernels = loadKernels();
  const registered = tf.registerBackend(name, () => createBackend(kernels, library, options), PRIORITY);
  if (!registered) {
    throw new Error(
      `A tfjs backend named "${name}" is registered already. Remove it with tf.removeBackend("${name}") first.`,
    );
  }
  registerFusedKernels('tensorflow');
  if (name === 'tensorflow') return;
  for (const kernel of tf.getKernelsForBackend('tensorflow'))
    tf.registerKernel({ ...kernel, backendName: name });
}

function createBackend(
  kernels: BackendClass,
  library: Library,
  options: NativeBackendOptions,
): NativeBackend {
  const { device = 'cpu', graphs = 64 } = options;
  const runtime = new Runtime(library, device);
  const immediate = new Immediate(runtime, KERNELS);
  const binding = new Binding(runtime, immediate);
  const backend = new kernels(
    binding,
    device === 'cuda' ? '@tensorflow/tfjs-node-gpu' : '@tensorflow/tfjs-node',
  );
  backend.read = (dataId) => {
    const data = backend.tensorMap.get(dataId);
    if (data.values !== null) return Promise.resolve(data.values);
    return binding.tensorData(data.id) as Promise<tf.backend_util.BackendValues>;
  };
  backend.memory = () => ({ unreliable: false, numBytes: 0 }) as ReturnType<tf.KernelBackend['memory']>;
  const recorder: StepRecorder = new StepRecorder(runtime, {
    limit: graphs,
    background: true,
    ...(device === 'cpu' && { bfloat16: hasBfloat16() ? 'fast' : 'slow' }),
    isCrowded,
    repair: repairPrograms,
    renew: (others) => {
      runtime.renew([...binding.values(), ...others]);
      immediate.forget();
      recorder.forget();
    },
    immediate,
    install: (executor) => {
      binding.executor = executor;
    },
  });
  return Object.assign(backend, { recorder });
}

/** Loads tfjs-node's kernels and its backend class, from the file that this package has of them or, in a checkout, from tfjs-node. */
function loadKernels(): BackendClass {
  // tfjs-node calls what Node 22 warns of and Node 23 removed.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] = (value: unknown): boolean => value === null || value === undefined;
  legacy['isArray'] = Array.isArray;
  const require = createRequire(import.meta.url);
  const bundled = fileURLToPath(new URL('../tfjs-node.cjs', import.meta.url));
  if (existsSync(bundled)) return (require(bundled) as TfjsNode).NodeJSKernelBackend;
  if (tf.getKernelsForBackend('tensorflow').length === 0)
    require('@tensorflow/tfjs-node/dist/register_all_kernels');
  return (require('@tensorflow/tfjs-node/dist/nodejs_kernel_backend') as TfjsNode).NodeJSKernelBackend;
}
