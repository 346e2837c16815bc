import {
  adamwUpdate,
  attention,
  composed,
  gelu,
  layerNorm,
  linear,
  softmaxCrossEntropy,
  sumOfSquares,
} from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { countAll, findLibrary, startNative } from '../native-fixture.js';
import type { NativeBackend } from '../libtensorflow/index.js';

const paths = await findLibrary();

/** Values between -1 and 1, the same each time. */
function values(shape: number[], seed: number): tf.Tensor {
  const size = tf.util.sizeFromShape(shape);
  return tf.tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(12.9898 * (i + 1) + 78.233 * seed)),
    shape,
  );
}

type Operation = (...inputs: tf.Tensor[]) => tf.Tensor;
const operations: Record<string, { shapes: number[][]; run: Operation }> = {
  linear: {
    shapes: [[2, 5, 8], [8, 6], [6]],
    run: (x, kernel, bias) => linear(x!, kernel as tf.Tensor2D, bias as tf.Tensor1D),
  },
  'linear without bias': {
    shapes: [
      [5, 8],
      [8, 6],
    ],
    run: (x, kernel) => linear(x!, kernel as tf.Tensor2D),
  },
  layerNorm: {
    shapes: [[2, 5, 8], [8], [8]],
    run: (x, scale, offset) => layerNorm(x!, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-12),
  },
  gelu: { shapes: [[3, 40]], run: (x) => gelu(tf.mul(x!, 5)) },
  sumOfSquares: { shapes: [[4, 3, 8]], run: (x) => sumOfSquares(x!) },
  'layerNorm of wide rows': {
    shapes: [[16, 384], [384], [384]],
    run: (x, scale, offset) => layerNorm(x!, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-12),
  },
  'sumOfSquares of a long vector': { shapes: [[40_000]], run: (x) => sumOfSquares(x!) },
  'sumOfSquares of a vector': { shapes: [[9]], run: (x) => sumOfSquares(x!) },
  'sumOfSquares of a scalar': { shapes: [[]], run: (x) => sumOfSquares(x!) },
  attention: {
    shapes: [
      [2, 5, 8],
      [2, 7, 8],
      [2, 7, 8],
    ],
    run: (q, k, v) => attention(q!, k!, v!, 2),
  },
  'attention with a mask and dropout': {
    shapes: [
      [2, 5, 8],
      [2, 7, 8],
      [2, 7, 8],
    ],
    run: (q, k, v) => {
      const hidden = tf.mul(tf.cast(tf.less(values([2, 1, 1, 7], 9), -0.5), 'float32'), -1e4);
      return attention(q!, k!, v!, 2, hidden, { rate: 0.3, key: [1, 2] });
    },
  },
  softmaxCrossEntropy: {
    shapes: [[4, 3]],
    run: (logits) => softmaxCrossEntropy(tf.abs(values([4, 3], 5)) as tf.Tensor2D, logits as tf.Tensor2D),
  },
};

describe.skipIf(paths === undefined)('native kernels', () => {
  let backend: NativeBackend;

  beforeAll(async () => {
    backend = await startNative(paths!, 32);
  });

  const same = (actual: tf.Tensor[], expected: tf.Tensor[]): void => {
    expect(actual.map(({ shape }) => shape)).toEqual(expected.map(({ shape }) => shape));
    actual.forEach((tensor, i) => {
      const wanted = expected[i]!.dataSync();
      tensor.dataSync().forEach((value, j) => {
        expect(Math.abs(value - wanted[j]!)).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(wanted[j]!)));
      });
    });
  };

  test.each(Object.keys(operations))(
    '%s and its gradients equal the composition, at once and compiled',
    (name) => {
      const { shapes, run } = operations[name]!;
      const inputs = shapes.map((shape, i) => values(shape, i));
      const weigh = (y: tf.Tensor): tf.Scalar => tf.sum(tf.mul(y, values(y.shape, 7)));
      const both = (): tf.Tensor[] =>
        tf.tidy(() => {
          const gradients = tf.grads((...given: tf.Tensor[]) => weigh(run(...given)))(inputs);
          return [run(...inputs), ...gradients];
        });
      const expected = composed(both);
      const before = countAll(backend);
      const atOnce = both();
      const compiled = backend.recorder.record(both);
      same(atOnce, expected);
      same(compiled, expected);
      tf.dispose([atOnce, compiled]);
      expect(countAll(backend)).toEqual(before);
      expect(backend.recorder.report().compiled).toBe(true);
    },
  );

  test('layer normalization of a row of one number is its offset', () => {
    const numbers = [0.1, -3.3, 10.1, 77.7, 1e3 / 3, -4e4 / 7];
    const run = (): tf.Tensor =>
      tf.tidy(() => {
        const x = tf.mul(tf.ones([1, 384]), tf.reshape(tf.tensor1d(numbers), [-1, 1]));
        return layerNorm(x, tf.ones([384]), tf.fill([384], 2), 1e-12);
      });
    for (const result of [run(), backend.recorder.record(run), composed(run)])
      for (const value of result.dataSync()) expect(Math.abs(value - 2)).toBeLessThan(1e-3);
  });

  test('NaN and infinity in a row reach its sum, and no other', () => {
    const rows = [Infinity, 1, NaN, 2].map((first) => [first, ...new Array<number>(383).fill(1)]);
    const run = (): tf.Tensor[] =>
      tf.tidy(() => {
        const x = tf.tensor2d(rows);
        return [layerNorm(x, tf.ones([384]), tf.zeros([384]), 1e-12), sumOfSquares(x)];
      });
    for (const [normal, sum] of [run(), backend.recorder.record(run)]) {
      const isNumber = (row: number): boolean =>
        normal!
          .dataSync()
          .slice(384 * row, 384 * (row + 1))
          .every(Number.isFinite);
      expect([0, 1, 2, 3].map(isNumber)).toEqual([false, true, false, true]);
      expect(sum!.dataSync()[0]).toBeNaN();
    }
    const infinite = (): tf.Tensor => tf.tidy(() => sumOfSquares(tf.tensor2d(rows.slice(0, 2))));
    expect(backend.recorder.record(infinite).dataSync()[0]).toBe(Infinity);
  });

  test('adamwUpdate equals the composition', () => {
    const [g, m, v, p] = [0, 1, 2, 3].map((seed) => values([4, 6], seed)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, stepSize: 0.01, secondScale: 3, decay: 0.002 };
    const run = (): tf.Tensor[] => {
      const { update, firstMoment, secondMoment } = adamwUpdate(g, m, tf.square(v), p, options);
      return [update, firstMoment, secondMoment];
    };
    const expected = composed(run);
    same(run(), expected);
    same(backend.recorder.record(run), expected);
  });
});
