import * as tf from '@tensorflow/tfjs-core';
import { Immediate } from '../compile/immediate.js';
import { tensorflowPlatform } from '../compile/platform.js';
import { repairPrograms } from '../compile/program-cache.js';
import { StepRecorder } from '../recording/recorder.js';
import { registerFusedKernels } from '../kernels/register.js';
import { Binding } from '../recording/binding.js';
import {
  loadKernels,
  readInBackground,
  type BackendClass,
  type RecordingBackend,
} from '../recording/tfjs-node.js';
import type { Library } from './library.js';
import { isCrowded } from './mappings.js';
import { hasBfloat16 } from './processor.js';
import { Runtime } from './values.js';

/** How the native engine registers itself with tfjs. */
export interface NativeBackendOptions {
  /** Name of the backend; the stock kernels are registered for 'tensorflow', the default. */
  readonly name?: string;
  /** Compiled steps to keep at most, 20 to 50 MB each; for a further one all are given back. Default 64. */
  readonly graphs?: number;
}

/** tfjs's backend on TensorFlow. */
export type NativeBackend = RecordingBackend<Runtime>;

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
  const kernels = loadKernels<Runtime>();
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
  kernels: BackendClass<Runtime>,
  library: Library,
  options: NativeBackendOptions,
): NativeBackend {
  const { graphs = 64 } = options;
  const runtime = new Runtime(library);
  const immediate = new Immediate(runtime, KERNELS);
  const binding = new Binding(runtime, immediate);
  const backend = new kernels(binding, '@tensorflow/tfjs-node');
  readInBackground(backend);
  const recorder: StepRecorder = new StepRecorder(tensorflowPlatform(runtime), {
    limit: graphs,
    background: true,
    bfloat16: hasBfloat16() ? 'fast' : 'slow',
    isCrowded,
    repair: repairPrograms,
    renew: (others) => {
      runtime.renew([...binding.values(), ...others]);
      immediate.forget();
      recorder.forget();
    },
    immediate,
    install: (executor) => {
      binding.executor = executor ?? immediate;
    },
  });
  return Object.assign(backend, { recorder });
}
