import * as tf from '@tensorflow/tfjs-core';

/**
 * What a student's distribution loses against a teacher's, both given as `[..., choices]` logits, over the last axis, at
 * temperature T: `-T^2 sum_c softmax(t / T) log softmax(s / T)`, so that its gradient keeps its size at any T.
 */
export function softLoss(teacher: tf.Tensor, student: tf.Tensor, temperature: number): tf.Tensor {
  const targets = tf.softmax(tf.div(teacher, temperature));
  const logs = tf.logSoftmax(tf.div(student, temperature));
  return tf.mul(tf.sum(tf.mul(targets, logs), -1), -(temperature ** 2));
}
