import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError } from '../errors.js';
import type { ModelOutput } from './task.js';

const SMALLEST = 1e-7;

/** An output of one list a row as `[rows, units]`. */
export function perRow(output: tf.Tensor): tf.Tensor2D {
  return tf.reshape(output, [output.shape[0], -1]) as tf.Tensor2D;
}

/** Logits whose softmax is p again: `log p`. */
export function fromSoftmax(p: tf.Tensor): tf.Tensor {
  return tf.log(tf.clipByValue(p, SMALLEST, 1));
}

/** Logits whose sigmoid is p again: `log p - log(1 - p)`. */
export function fromSigmoid(p: tf.Tensor): tf.Tensor {
  const inside = tf.clipByValue(p, SMALLEST, 1 - SMALLEST);
  return tf.sub(tf.log(inside), tf.log(tf.sub(1, inside)));
}

/** Throws unless the model has one list of outputs a row. */
export function checkPerRow(task: string, { shape, units }: ModelOutput): number {
  if (shape.slice(1, -1).every((size) => size === 1)) return units;
  throw new HypetuneError(
    `${task}: the model must have outputs [rows, outputs], got ${print(shape)}; for a label each token take tokenClassification().`,
  );
}

/** Throws where parts of the outputs would have to be read in different ways. */
export function checkUnmixed(task: string, { ending }: ModelOutput): void {
  if (ending === 'mixed')
    throw new HypetuneError(
      `${task}: the model's output joins parts that end in different ways, or in softmaxes of their own; end all of it in logits.`,
    );
}

/** The shape of an output as an error prints it. */
export function print(shape: readonly (number | null)[]): string {
  return `[${shape.map((size, axis) => size ?? (axis === 0 ? 'rows' : 'length')).join(', ')}]`;
}
