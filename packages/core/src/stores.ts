import * as tf from '@tensorflow/tfjs-core';
import type { TensorStore } from './plugin.js';

/** The same values in memory of their own. */
export function copyOf(tensor: tf.Tensor): tf.Tensor {
  return tf.mul(tensor, 1);
}

/** Tensors that live from step to step, kept until replaced or disposed. */
export class KeptTensors implements TensorStore {
  readonly #tensors = new Map<string, tf.Tensor>();

  get(name: string): tf.Tensor | undefined {
    return this.#tensors.get(name);
  }

  set(name: string, tensor: tf.Tensor): void {
    const before = this.#tensors.get(name);
    if (before === tensor) return;
    this.#tensors.set(name, tf.keep(tensor));
    before?.dispose();
  }

  names(): string[] {
    return [...this.#tensors.keys()];
  }

  clear(): void {
    for (const tensor of this.#tensors.values()) tensor.dispose();
    this.#tensors.clear();
  }
}
