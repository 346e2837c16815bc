import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { StepRecorder } from '@hypetune/core';
import { chooseEngine, type EngineName } from '@hypetune/engine';

/** A way to compute a step. */
export interface Way {
  readonly name: 'cpu' | 'wasm' | 'native' | 'compiled';
  readonly backend: string;
  /** Whether a step is one compiled function. */
  readonly compile: boolean;
}

/** Those of the ways that work on this machine, cpu first. */
export async function waysHere(): Promise<readonly Way[]> {
  const ways: Way[] = [];
  for (const name of ['cpu', 'wasm', 'native', 'compiled'] as const) {
    const force: EngineName = name === 'compiled' ? 'native' : name;
    try {
      const { backend } = await chooseEngine({ force });
      ways.push({ name, backend, compile: name === 'compiled' });
    } catch {
      // Not installed here.
    }
  }
  await tf.setBackend('cpu');
  return ways;
}

/** Computes in a way; afterwards on the cpu again. */
export async function inWay<T>(way: Way, compute: () => Promise<T>): Promise<T> {
  await tf.setBackend(way.backend);
  try {
    return await compute();
  } finally {
    await tf.setBackend('cpu');
  }
}

/** The recorder that compiles steps of the current backend. */
export const recorderHere = (): StepRecorder =>
  (tf.backend() as unknown as { recorder: StepRecorder }).recorder;
