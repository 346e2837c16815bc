import * as tf from '@tensorflow/tfjs-core';
import { globalNorm, type Gradients, mapTensors } from '@hypetune/core';

/** Added to norms that divide. */
const SMALLEST = 1e-12;

/** `e = rho * g / ||g||`, the norm over all parameters together: where the loss is highest within rho. */
export function offsets(gradients: Gradients, radius: number): Gradients {
  const scale = tf.div(radius, tf.add(globalNorm(Object.values(gradients)), SMALLEST));
  return mapTensors(gradients, (g) => tf.mul(g, scale));
}

/**
 * ASAM (Kwon et al., 2021): `e = rho * T^2 g / ||T g||`, a radius in units of each weight's own size, `T = |w| + eta`. A
 * weight that `sizes` leaves out has T = 1.
 */
export function adaptiveOffsets(gradients: Gradients, sizes: Gradients, radius: number): Gradients {
  const sized = (values: Gradients): Gradients =>
    mapTensors(values, (value, name) => (sizes[name] ? tf.mul(value, sizes[name]) : value));
  return sized(offsets(sized(gradients), radius));
}

/**
 * GSAM (Zhuang et al., 2022): `g' - alpha (g - <g, u> u)`, `u = g' / ||g'||`, from the gradient g at the weights and g' at the
 * shifted ones: the part of g across g' is climbed, which closes the gap between both losses.
 */
export function surrogateGradient(here: Gradients, there: Gradients, alpha: number): Gradients {
  const norm = tf.add(globalNorm(Object.values(there)), SMALLEST);
  const product = tf.addN(Object.entries(there).map(([name, g]) => tf.sum(tf.mul(here[name]!, g))));
  const share = tf.div(product, tf.square(norm));
  return mapTensors(there, (g, name) => tf.sub(g, tf.mul(tf.sub(here[name]!, tf.mul(share, g)), alpha)));
}

/** Friendly SAM (Li et al., 2024): `g - sigma m`, the batch's own part of the gradient without the running mean m. */
export function batchPart(gradient: tf.Tensor, mean: tf.Tensor, sigma: number): tf.Tensor {
  return tf.sub(gradient, tf.mul(mean, sigma));
}

/** `lambda m + (1 - lambda) g`. */
export function runningMean(mean: tf.Tensor, gradient: tf.Tensor, lambda: number): tf.Tensor {
  return tf.add(tf.mul(mean, lambda), tf.mul(gradient, 1 - lambda));
}
