import * as tf from '@tensorflow/tfjs-core';

/** The part of tfjs's engine state that decides what is recorded for gradients. */
interface TapeState {
  gradientDepth: number;
  kernelDepth: number;
  activeTape: { saved?: tf.Tensor[] }[] | null | undefined;
}

const tapeState = (): TapeState => (tf.engine() as unknown as { state: TapeState }).state;

/** Runs `f` as if no gradient were being taken; gradients taken inside it are its own. */
export function offTape<T>(f: () => T): T {
  const state = tapeState();
  const { gradientDepth, kernelDepth, activeTape } = state;
  state.gradientDepth = 0;
  state.kernelDepth = 0;
  state.activeTape = null;
  try {
    return f();
  } finally {
    state.gradientDepth = gradientDepth;
    state.kernelDepth = kernelDepth;
    state.activeTape = activeTape;
  }
}

/** The same values, cut off from the tape: no gradient flows through. */
export function detach<T extends tf.Tensor>(tensor: T): T {
  return offTape(() => tf.clone(tensor));
}

/** Gradient of a scalar function at `x`, on a tape of its own: nothing of it reaches an outer gradient. */
export function gradientAt<T extends tf.Tensor>(f: (x: T) => tf.Scalar, x: T): T {
  return offTape(() => tf.tidy(() => tf.grad(f as (x: tf.Tensor) => tf.Tensor)(x) as T));
}

/** Frees what a tape that was left by a throw still holds. */
export function clearTape(): void {
  const state = tapeState();
  if (state.gradientDepth !== 0) return;
  for (const node of state.activeTape ?? []) for (const tensor of node.saved ?? []) tensor.dispose();
  state.activeTape = null;
}
