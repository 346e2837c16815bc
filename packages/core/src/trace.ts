import * as tf from '@tensorflow/tfjs-core';
import { offTape } from './math/tape.js';

/** One tap's effect on one value. */
export interface TraceEntry {
  readonly hook: string;
  readonly plugin: string;
  /** Euclidean norm of the value the tap was given, and of the one it returned. */
  readonly before: number;
  readonly after: number;
}

/** Which tap changed which value's norm, in the order of the calls; reading norms makes every step slow. */
export class Trace {
  readonly entries: TraceEntry[] = [];

  readonly observe = (hook: string, plugin: string, before: unknown, after: unknown): void => {
    const from = normOf(before);
    const to = normOf(after);
    if (from !== undefined && to !== undefined) this.entries.push({ hook, plugin, before: from, after: to });
  };
}

function normOf(value: unknown): number | undefined {
  const tensors =
    value instanceof tf.Tensor ? [value] : isTensorRecord(value) ? Object.values(value) : undefined;
  if (!tensors) return undefined;
  const squares = offTape(() =>
    tensors.map((tensor) => tf.tidy(() => tf.sum(tf.square(tf.cast(tensor, 'float32'))).dataSync()[0]!)),
  );
  return Math.sqrt(squares.reduce((sum, square) => sum + square, 0));
}

function isTensorRecord(value: unknown): value is Record<string, tf.Tensor> {
  return (
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every((entry) => entry instanceof tf.Tensor)
  );
}
