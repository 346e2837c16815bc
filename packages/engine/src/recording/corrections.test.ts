import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs-core's operations.
import '@tensorflow/tfjs-layers';
import { beforeAll, describe, expect, test } from 'vitest';
import { findLibrary, startNative } from '../native-fixture.js';
import type { NativeBackend } from '../libtensorflow/index.js';

const paths = await findLibrary();

describe.skipIf(paths === undefined)('kernels in the place of those of tfjs-node', () => {
  let backend: NativeBackend;

  beforeAll(async () => {
    backend = await startNative(paths!);
  });

  test('an axis below zero', () => {
    tf.tidy(() => {
      const x = tf.tensor2d([
        [1, 2, 3],
        [4, 5, 6],
      ]);
      const picked = tf.gather(x, tf.tensor1d([2, 0], 'int32'), -1);
      expect([picked.shape, [...picked.dataSync()]]).toEqual([
        [2, 2],
        [3, 1, 6, 4],
      ]);
      expect(() => tf.gather(x, tf.tensor1d([3], 'int32'), -1)).toThrow('the index value 3 is not in [0, 2]');
    });
  });

  test('integers are rounded already, at once and compiled', () => {
    const round = (): tf.Tensor => tf.tidy(() => tf.round(tf.tensor1d([-4, 0, 7], 'int32')));
    for (const result of [round(), backend.recorder.record(round)]) {
      expect([...result.dataSync()]).toEqual([-4, 0, 7]);
      result.dispose();
    }
    expect(backend.recorder.report().compiled).toBe(true);
  });

  test('a choice between numbers of two types has the wider one', () => {
    const mask = tf.tensor1d([1, 0], 'bool');
    const choose = (): tf.Tensor => tf.tidy(() => tf.where(mask, tf.tensor1d([7, 8], 'int32'), 0.5));
    for (const chosen of [choose(), backend.recorder.record(choose)]) {
      expect([chosen.dtype, ...chosen.dataSync()]).toEqual(['float32', 7, 0.5]);
      chosen.dispose();
    }
    mask.dispose();
  });

  test('draws from probabilities', () => {
    const drawn = tf.tidy(() => tf.multinomial(tf.tensor1d([0, 1]), 20, 3, true));
    expect([...drawn.dataSync()]).toEqual(new Array(20).fill(1));
    drawn.dispose();
  });

  test('draws from logits that are whole numbers', () => {
    const logits = tf.tensor1d([0, 90], 'int32');
    const drawn = tf.tidy(() => tf.multinomial(logits, 20, 3));
    expect([...drawn.dataSync()]).toEqual(new Array(20).fill(1));
    tf.dispose([logits, drawn]);
  });

  test('draws without a seed by what Math.random gives', () => {
    const random = Math.random;
    const draw = (): tf.Tensor => tf.multinomial(tf.zeros([4]) as tf.Tensor1D, 40);
    const drawn = (number: number, run: () => tf.Tensor = draw): number[] => {
      Math.random = () => number;
      return tf.tidy(() => [...run().dataSync()]);
    };
    const inStep = (): tf.Tensor => backend.recorder.record(draw);
    try {
      const first = drawn(0.25);
      expect(drawn(0.25)).toEqual(first);
      expect(drawn(0.26)).not.toEqual(first);
      const compiled = drawn(0.25, inStep);
      expect(drawn(0.25, inStep)).toEqual(compiled);
      expect(drawn(0.26, inStep)).not.toEqual(compiled);
      expect(backend.recorder.report().eagerOperations).toEqual({});
    } finally {
      Math.random = random;
    }
  });

  test.each([
    ['same', [1, 2], 1],
    ['valid', 1, 2],
    [1, 1, 1],
  ] as const)('channels first, padded by %s, strides %s, dilation %s', (pad, strides, dilation) => {
    tf.tidy(() => {
      const x = tf.reshape(tf.sin(tf.range(0, 180)), [2, 3, 6, 5]) as tf.Tensor4D;
      const filter = tf.reshape(tf.cos(tf.range(0, 108)), [3, 3, 3, 4]) as tf.Tensor4D;
      const steps: number | [number, number] = typeof strides === 'number' ? strides : [...strides];
      const first = (image: tf.Tensor, by: tf.Tensor): tf.Tensor =>
        tf.conv2d(image as tf.Tensor4D, by as tf.Tensor4D, steps, pad, 'NCHW', dilation);
      const last = (image: tf.Tensor, by: tf.Tensor): tf.Tensor => {
        const turned = tf.transpose(image, [0, 2, 3, 1]) as tf.Tensor4D;
        const result = tf.conv2d(turned, by as tf.Tensor4D, steps, pad, 'NHWC', dilation);
        return tf.transpose(result, [0, 3, 1, 2]);
      };
      const all = (f: typeof first): tf.Tensor[] => [
        f(x, filter),
        ...(dilation === 1 ? tf.grads((image, by) => tf.sum(tf.square(f(image!, by!))))([x, filter]) : []),
      ];
      const wanted = all(last);
      all(first).forEach((tensor, i) => {
        expect(tensor.shape).toEqual(wanted[i]!.shape);
        expect(tf.max(tf.abs(tf.sub(tensor, wanted[i]!))).dataSync()[0]).toBeLessThan(1e-3);
      });
    });
  });

  test('the gradient for a filter smaller than the stride is its slope', () => {
    tf.tidy(() => {
      const x = tf.reshape(tf.sin(tf.range(0, 128)), [2, 8, 8, 1]) as tf.Tensor4D;
      const weights = tf.reshape(tf.cos(tf.range(0, 32)), [2, 4, 4, 1]);
      for (const convolve of [tf.conv2d, tf.depthwiseConv2d]) {
        const loss = (filter: tf.Tensor): tf.Scalar =>
          tf.sum(tf.mul(convolve(x, filter as tf.Tensor4D, 2, 'same'), weights));
        const filter = tf.ones([1, 1, 1, 1]);
        // The loss is linear in its one number.
        const [slope] = loss(filter).dataSync();
        const gradients = [tf.grad(loss)(filter), backend.recorder.record(() => tf.grad(loss)(filter))];
        for (const gradient of gradients) expect(gradient.dataSync()[0]).toBeCloseTo(slope!, 4);
      }
    });
  });

  test.each(['resizeBilinear', 'resizeNearestNeighbor'] as const)(
    'the gradient of %s from the centres of pixels is its slope',
    (name) => {
      tf.tidy(() => {
        const weights = tf.reshape(tf.cos(tf.range(0, 27)), [1, 9, 3, 1]);
        const loss = (x: tf.Tensor): tf.Scalar =>
          tf.sum(tf.mul(tf.image[name](x as tf.Tensor4D, [9, 3], false, true), weights));
        // The loss is linear: its slope along a pixel is what that one alone gives.
        const pixels = tf.reshape(tf.eye(20), [20, 1, 4, 5, 1]);
        const slopes = tf.unstack(pixels).map((pixel) => loss(pixel).dataSync()[0]!);
        const x = tf.zeros([1, 4, 5, 1]);
        for (const gradient of [tf.grad(loss)(x), backend.recorder.record(() => tf.grad(loss)(x))])
          gradient.dataSync().forEach((value, i) => {
            expect(value).toBeCloseTo(slopes[i]!, 5);
          });
      });
    },
  );
});
