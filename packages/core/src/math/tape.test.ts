import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { expect, test } from 'vitest';
import { clearTape, detach, gradientAt, offTape } from './tape.js';

test('no gradient flows through a detached tensor', () => {
  const gradient = tf.grad((x) => tf.sum(tf.mul(x, detach(x))))(tf.tensor1d([2, 3]));
  expect(Array.from(gradient.dataSync())).toEqual([2, 3]);
});

test('a gradient taken inside another one is its own', () => {
  const f = (x: tf.Tensor): tf.Tensor => {
    const inner = gradientAt((y) => tf.sum(tf.pow(y, 3)), x); // 3 x^2, a constant for the outer tape
    return tf.sum(tf.mul(x, inner));
  };
  expect(
    Array.from(
      tf
        .grad(f)(tf.tensor1d([1, 2]))
        .dataSync(),
    ),
  ).toEqual([3, 12]);
});

test('offTape restores the tape also when it throws', () => {
  const gradient = tf.grad((x) => {
    expect(() =>
      offTape(() => {
        throw new Error('on purpose');
      }),
    ).toThrow('on purpose');
    return tf.sum(tf.square(x));
  })(tf.scalar(3));
  expect(gradient.dataSync()[0]).toBe(6);
});

test('clearTape frees what a tape left by a throw holds', () => {
  const x = tf.tensor1d([1, 2]);
  const before = tf.memory().numTensors;
  expect(() =>
    tf.tidy(() =>
      tf.grad((y) => {
        tf.square(tf.sigmoid(y));
        throw new Error('on purpose');
      })(x),
    ),
  ).toThrow('on purpose');
  clearTape();
  expect(tf.memory().numTensors).toBe(before);
});
