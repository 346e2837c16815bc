import * as tf from '@tensorflow/tfjs-core';
import { globalNorm, type Gradients } from '@hypetune/core';

/** `e = rho * g / (||g|| + 1e-12)`, the norm over all parameters together: where the loss is highest within rho. */
export function offsets(gradients: Gradients, radius: number): Gradients {
  const scale = tf.div(radius, tf.add(globalNorm(Object.values(gradients)), 1e-12));
  return Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, tf.mul(g, scale)]));
}

/** ASAM (Kwon et al., 2021): `e = rho * w^2 g / (|| |w| g || + 1e-12)`, a radius in units of each weight's own size. */
export function adaptiveOffsets(gradients: Gradients, weights: Gradients, radius: number): Gradients {
  const sized = Object.entries(gradients).map(
    ([name, g]) => [name, tf.mul(tf.abs(weights[name]!), g)] as const,
  );
  const unit = offsets(Object.fromEntries(sized), radius);
  return Object.fromEntries(
    Object.entries(unit).map(([name, e]) => [name, tf.mul(tf.abs(weights[name]!), e)]),
  );
}
