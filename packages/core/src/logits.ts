import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layerSites } from './sites.js';
import type { Task } from './step.js';

const SMALLEST = 1e-7;

/**
 * The model's output as `[rows, outputs]` logits. A model that ends in softmax gives `log p`, whose softmax is p again;
 * one binary output z gives `[0, z]`, or `[0, log p - log(1 - p)]` after a sigmoid.
 */
export function toLogits(model: LayersModel, output: tf.Tensor, task: Task): tf.Tensor2D {
  const rows = tf.reshape(output, [output.shape[0], -1]) as tf.Tensor2D;
  if (task === 'regression') return rows;
  const activation = lastActivation(model);
  if (activation === 'softmax') return tf.log(tf.clipByValue(rows, SMALLEST, 1));
  if (rows.shape[1] !== 1) return rows;
  const inside = tf.clipByValue(rows, SMALLEST, 1 - SMALLEST);
  const z = activation === 'sigmoid' ? tf.sub(tf.log(inside), tf.log(tf.sub(1, inside))) : rows;
  return tf.concat([tf.zerosLike(z), z], 1) as tf.Tensor2D;
}

/** How many outputs a row's labels have: classes, or values. */
export function labelWidth(model: LayersModel, task: Task): number {
  const units = model.outputs[0]!.shape.at(-1) ?? 1;
  return task === 'classification' ? Math.max(2, units) : units;
}

function lastActivation(model: LayersModel): string | undefined {
  const last = layerSites(model).at(-1)?.layer;
  const config = last?.getConfig();
  if (last?.getClassName() === 'Softmax') return 'softmax';
  return typeof config?.activation === 'string' ? config.activation : undefined;
}
