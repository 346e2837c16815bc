import * as tf from '@tensorflow/tfjs-core';
import { squaredDistance, type Task } from '@hypetune/core';

/**
 * What a student's `[rows, outputs]` logits s lose against a teacher's t, by row. Classes, at temperature T:
 * `-T^2 sum_c softmax(t / T) log softmax(s / T)`, so that its gradient keeps its size at any T. Values: the mean squared difference.
 */
export function softLoss(
  task: Task,
  teacher: tf.Tensor2D,
  student: tf.Tensor2D,
  temperature: number,
): tf.Tensor1D {
  if (task === 'regression') return squaredDistance(teacher, student);
  const targets = tf.softmax(tf.div(teacher, temperature));
  const logs = tf.logSoftmax(tf.div(student, temperature));
  return tf.mul(tf.sum(tf.mul(targets, logs), -1), -(temperature ** 2));
}
