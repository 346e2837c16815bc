import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from './errors.js';

let keeping: tf.Tensor[] | undefined;

/** Runs `f`; what `keepForGradient` was given in it lives until `f` has returned, whatever tidy it was made in. */
export function keepingForGradient<T>(f: () => T): T {
  const outer = keeping;
  const mine: tf.Tensor[] = (keeping = []);
  try {
    return f();
  } finally {
    keeping = outer;
    for (const tensor of mine) tensor.dispose();
  }
}

/** Whether a `keepingForGradient` is running. */
export function isKeepingForGradient(): boolean {
  return keeping !== undefined;
}

/** Keeps a tensor until the gradient that needs it is taken; it is freed also when something throws. */
export function keepForGradient<T extends tf.Tensor>(tensor: T): T {
  if (!keeping)
    throw new HypetuneError('core: weights are read through taps only inside keepingForGradient.');
  keeping.push(tf.keep(tensor));
  return tensor;
}
