import * as tf from '@tensorflow/tfjs-core';
import { cpuKernel, type BridgedKernel } from '../bridge.js';
import { registerFusedKernels } from '../kernels/register.js';
import { Binding } from '../recording/binding.js';
import type { Platform } from '../recording/platform.js';
import { StepRecorder } from '../recording/recorder.js';
import { NotRecorded } from '../recording/recorder-setting.js';
import {
  loadKernels,
  readInBackground,
  stockKernels,
  type RecordingBackend,
} from '../recording/tfjs-node.js';
import type { Client } from './client.js';
import type { CompilerSettings } from './compile-options.js';
import { Executables } from './executables.js';
import { Program } from './program.js';
import { Step } from './step.js';
import { Store } from './store.js';

/** How the engine on a PJRT plugin registers itself with tfjs. */
export interface PjrtBackendOptions {
  /** Name of the backend. Default 'pjrt'. */
  readonly name?: string;
  /** Compiled steps to keep at most; for a further one all are given back. Default 64. */
  readonly graphs?: number;
  /** Let float32 products be rounded to TF32 where the device has it. Default false. */
  readonly tf32?: boolean;
  /** The folder in which executables are kept for later processes. Default: none are. */
  readonly programs?: string;
  /** Further settings of the compiler, by their names in XLA's DebugOptions. */
  readonly settings?: CompilerSettings;
}

export type PjrtBackend = RecordingBackend<Store>;

/** Priority above every other backend that tfjs registers. */
const PRIORITY = 4;
/** Compiled functions to keep at most for what runs outside of steps. */
const OUTSIDE = 256;
/** Operations outside of steps that are computed together at most. */
const LONGEST = 512;

/**
 * What the compiler is told: that the largest of a NaN and a number is NaN, as everywhere else, and on GPUs that the same step
 * gives the same bits at each call.
 */
const settings = (platform: string): CompilerSettings =>
  platform === 'cpu' ? { xla_cpu_enable_fast_min_max: false } : { xla_gpu_deterministic_ops: true };

/**
 * Registers the engine as a tfjs backend. Its kernels are tfjs-node's JavaScript; their operations are recorded, in steps and
 * outside of them, and become programs in StableHLO. What is not translated runs on the host, in tfjs's cpu backend.
 */
export function registerPjrtBackend(client: Client, options: PjrtBackendOptions = {}): void {
  const name = options.name ?? 'pjrt';
  const kernels = loadKernels<Store>();
  if (!tf.registerBackend(name, () => createBackend(new kernels(...bindingOf(client)), options), PRIORITY))
    throw new Error(
      `A tfjs backend named "${name}" is registered already. Remove it with tf.removeBackend("${name}") first.`,
    );
  provideTypeNumbers(name);
  registerFusedKernels(name);
  const own = new Set(tf.getKernelsForBackend(name).map(({ kernelName }) => kernelName));
  const stock = new Map(stockKernels().map((kernel) => [kernel.kernelName, kernel]));
  for (const kernelName of new Set([
    ...stock.keys(),
    ...tf.getKernelsForBackend('cpu').map((kernel) => kernel.kernelName),
  ]))
    if (!own.has(kernelName))
      tf.registerKernel({
        kernelName,
        backendName: name,
        kernelFunc: kernelOrHost(kernelName, stock.get(kernelName)),
      });
}

/** tfjs-node asks a backend named `tensorflow`, whichever runs, for the numbers of types: without one this one answers. */
export function provideTypeNumbers(name: string): void {
  if ((tf.findBackendFactory('tensorflow') as unknown) === null)
    tf.registerBackend('tensorflow', () => tf.findBackend(name), 0);
}

/** No executor yet: the backend puts itself in charge. */
function bindingOf(client: Client): [Binding<Store>, string] {
  const none = (): never => {
    throw new Error('The engine has not started.');
  };
  return [
    new Binding(new Store(client), { execute: none, executeKernel: none, dispose: none }),
    '@tensorflow/tfjs-node',
  ];
}

function createBackend(backend: Omit<PjrtBackend, 'recorder'>, options: PjrtBackendOptions): PjrtBackend {
  const { graphs = 64, tf32 = false } = options;
  const { binding } = backend;
  const store = binding.runtime;
  const executables = new Executables(
    store.client,
    { ...settings(store.client.platform), ...options.settings },
    options.programs,
  );
  const platform: Platform = {
    newGraph: () => new Program(false, { precision: 'float32', tf32 }),
    compile: (_, recording, demand, { precision }) =>
      new Step(store, executables, recording, demand, { precision, tf32 }),
    release: (value) => {
      store.release(value);
    },
    refusedOperations: () => [],
  };
  const outside: StepRecorder = new StepRecorder(platform, {
    limit: OUTSIDE,
    background: true,
    install: () => undefined,
    renew: () => {
      outside.forget();
    },
  });
  const recorder: StepRecorder = new StepRecorder(platform, {
    limit: graphs,
    background: true,
    bfloat16: store.isGpu ? 'fast' : 'slow',
    renew: () => {
      recorder.forget();
    },
    install: (executor) => {
      if (executor !== undefined) outside.settle();
      binding.executor = executor ?? outside;
    },
  });
  outside.recordAlways(LONGEST);
  binding.executor = outside;
  readInBackground(backend);
  return Object.assign(backend, { recorder });
}

/** tfjs-node's kernel; what it is not translated for, and what it has no kernel for, runs in the cpu backend. */
function kernelOrHost(kernelName: string, kernel: tf.KernelConfig | undefined): tf.KernelFunc {
  const onHost = (args: Parameters<tf.KernelFunc>[0], reason: string): tf.TensorInfo | tf.TensorInfo[] => {
    const backend = args.backend as unknown as PjrtBackend;
    backend.recorder.ranElsewhere(kernelName, reason);
    return cpuKernel(backend, kernelName)(args as unknown as Parameters<BridgedKernel>[0]);
  };
  if (kernel === undefined)
    return (args) => onHost(args, `${kernelName} is not translated for XLA: it runs on the host`);
  return (args) => {
    const engine = tf.engine();
    engine.startScope(kernelName);
    try {
      const result = kernel.kernelFunc(args);
      engine.endScope(result as unknown as tf.TensorContainer);
      return result;
    } catch (error) {
      engine.endScope();
      if (!(error instanceof NotRecorded)) throw error;
      return onHost(args, error.message);
    }
  };
}
