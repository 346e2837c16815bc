import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs-core's operations.
import '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { correctCpuKernels } from './corrections.js';

beforeAll(async () => {
  correctCpuKernels();
  await tf.setBackend('cpu');
});

const resize =
  (
    name: 'resizeBilinear' | 'resizeNearestNeighbor',
    size: [number, number],
    ends: boolean,
    centers: boolean,
  ) =>
  (x: tf.Tensor): tf.Tensor =>
    tf.image[name](x as tf.Tensor4D, size, ends, centers);

test.each([
  ['means of a plane', [2, 5, 4, 2], (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same')],
  ['means of windows padded by 1', [2, 5, 4, 2], (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 3, 2, 1)],
  ['means of a space', [1, 5, 4, 3, 2], (x: tf.Tensor) => tf.avgPool3d(x as tf.Tensor5D, 3, 2, 'same')],
  ['no means at all', [2, 3, 3, 2], (x: tf.Tensor) => tf.avgPool(x as tf.Tensor4D, 4, 1, 'valid')],
  ['a larger image', [2, 4, 5, 3], resize('resizeBilinear', [9, 7], false, false)],
  ['a larger image by its ends', [2, 4, 5, 3], resize('resizeBilinear', [9, 7], true, false)],
  ['a larger image by centres', [2, 4, 5, 3], resize('resizeBilinear', [9, 7], false, true)],
  ['a smaller image by centres', [1, 6, 4, 2], resize('resizeBilinear', [3, 3], false, true)],
  ['nearest pixels', [2, 4, 5, 3], resize('resizeNearestNeighbor', [9, 3], false, false)],
  ['nearest pixels by ends', [2, 4, 5, 3], resize('resizeNearestNeighbor', [9, 3], true, false)],
  ['nearest pixels by centres', [2, 4, 5, 3], resize('resizeNearestNeighbor', [9, 3], false, true)],
  ['copies of one pixel, by ends', [2, 1, 1, 3], resize('resizeNearestNeighbor', [3, 4], true, false)],
] as const)('the gradient of %s is their slope', (_, shape, make) => {
  tf.tidy(() => {
    const places = make(tf.zeros([...shape])).shape;
    const weights = tf.reshape(tf.cos(tf.range(0, tf.util.sizeFromShape(places))), places);
    const loss = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(make(x), weights));
    const gradient = tf.grad(loss)(tf.zeros([...shape]));
    expect(gradient.shape).toEqual(shape);
    // The loss is linear: its slope along an element is what that one alone gives.
    const size = gradient.size;
    const elements = tf.unstack(tf.reshape(tf.eye(size), [size, ...shape]));
    const slopes = elements.map((element) => loss(element).dataSync()[0]!);
    gradient.dataSync().forEach((value, i) => {
      expect(value).toBeCloseTo(slopes[i]!, 5);
    });
  });
});

test('windows in space begin at the first place where they do not reach the end', () => {
  tf.tidy(() => {
    const image = tf.reshape(tf.range(0, 36), [1, 1, 6, 6, 1]) as tf.Tensor5D;
    const one = tf.ones([1, 1, 1, 1, 1]) as tf.Tensor5D;
    for (const result of [
      tf.conv3d(image, one, [1, 2, 3], 'same'),
      tf.maxPool3d(image, 1, [1, 2, 3], 'same'),
      tf.avgPool3d(image, 1, [1, 2, 3], 'same'),
    ])
      expect([...result.dataSync()]).toEqual([0, 3, 12, 15, 24, 27]);
    const long = tf.ones([3, 1, 1, 1, 1]) as tf.Tensor5D;
    expect(() => tf.conv3d(image, long, [1, 2, 3], 'same')).toThrow('Pad the image with tf.pad');
  });
});
