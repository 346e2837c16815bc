import * as tf from '@tensorflow/tfjs-core';

/** The part of tfjs's engine state that decides what is recorded for gradients. */
interface TapeState {
  gradientDepth: number;
  kernelDepth: number;
  activeTape: { saved?: tf.Tensor[] }[] | null | undefined;
}

const tapeState = (): TapeState => (tf.engine() as unknown as { state: TapeState }).state;

/**
 * Runs `f` as if no gradient were being taken; gradients taken inside it are its own. What `f` computes through `onTape` is
 * recorded as if it stood outside.
 */
export function offTape<T>(f: (onTape: <V>(g: () => V) => V) => T): T {
  const { gradientDepth, kernelDepth, activeTape } = tapeState();
  const outer = { gradientDepth, kernelDepth, activeTape };
  return withTape({ gradientDepth: 0, kernelDepth: 0, activeTape: null }, () => f((g) => withTape(outer, g)));
}

/** Runs `f` on this tape, and puts the tape back that was there. */
function withTape<T>(tape: TapeState, f: () => T): T {
  const state = tapeState();
  const { gradientDepth, kernelDepth, activeTape } = state;
  Object.assign(state, tape);
  try {
    return f();
  } finally {
    Object.assign(state, { gradientDepth, kernelDepth, activeTape });
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
