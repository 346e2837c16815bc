import * as ops from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
// Registers the gradients of tfjs-core's operations.
import '@tensorflow/tfjs-layers';
import { beforeAll, expect, test } from 'vitest';
import { useWasm } from './index.js';

beforeAll(async () => {
  await useWasm({ threads: 2 });
});

test('matrices broadcast on both sides, which the cpu backend gets wrong', () => {
  const a = tf.tensor([1, 2, 3, 4], [2, 1, 1, 2]);
  const b = tf.tensor([1, 0, 0, 1, 10, 100], [1, 3, 2, 1]);
  expect([...tf.matMul(a, b).dataSync()]).toEqual([1, 2, 210, 3, 4, 430]);
});

test('products over nothing are zeros, whatever the memory held', () => {
  tf.dispose(tf.fill([64], 7));
  tf.tidy(() => {
    expect([...tf.matMul(tf.zeros([2, 0]), tf.zeros([0, 3])).dataSync()]).toEqual([0, 0, 0, 0, 0, 0]);
    tf.dispose(tf.fill([64], 7));
    const gradient = tf.grad((kernel: tf.Tensor) =>
      tf.sum(ops.linear(tf.zeros([0, 3]), kernel as tf.Tensor2D, tf.zeros([4]))),
    );
    expect([...gradient(tf.ones([3, 4])).dataSync()]).toEqual(new Array(12).fill(0));
  });
});

test('integers are multiplied as such in a fused product too', () => {
  tf.tidy(() => {
    const a = tf.tensor2d([[1, -2]], [1, 2], 'int32');
    const b = tf.tensor2d([[3], [5]], [2, 1], 'int32');
    const product = tf.fused.matMul({ a, b, bias: tf.tensor1d([4], 'int32'), activation: 'relu' });
    expect([...product.dataSync()]).toEqual([0]);
    expect([...tf.fused.matMul({ a, b }).dataSync()]).toEqual([-7]);
  });
});

test('integers are clipped and tested as such', () => {
  tf.tidy(() => {
    const x = tf.tensor1d([-3, 1, 9], 'int32');
    expect([...tf.clipByValue(x, 0, 5).dataSync()]).toEqual([0, 1, 5]);
    expect([...tf.isNaN(x).dataSync()]).toEqual([0, 0, 0]);
    expect([...tf.isInf(x).dataSync()]).toEqual([0, 0, 0]);
    expect([...tf.isFinite(x).dataSync()]).toEqual([1, 1, 1]);
  });
});

test('a choice between numbers of two types has the wider one', () => {
  tf.tidy(() => {
    const chosen = tf.where(tf.tensor1d([1, 0], 'bool'), tf.tensor1d([7, 8], 'int32'), 0.5);
    expect([chosen.dtype, ...chosen.dataSync()]).toEqual(['float32', 7, 0.5]);
  });
});

test('what kernels of the stock backend get wrong is right', () => {
  tf.tidy(() => {
    const negative = tf.fill([1, 2, 2, 2, 1], -3) as tf.Tensor5D;
    expect([...tf.maxPool3d(negative, 2, 2, 'valid').dataSync()]).toEqual([-3]);
    const plane = tf.fill([1, 2, 2, 1], -3) as tf.Tensor4D;
    expect([...tf.maxPoolWithArgmax(plane, 2, 2, 'valid').result!.dataSync()]).toEqual([-3]);
    const x = tf.tensor2d([
      [1, 2],
      [3, 4],
    ]);
    expect([...tf.cumsum(x, -1).dataSync()]).toEqual([1, 3, 3, 7]);
    expect([...tf.cumprod(x, -2).dataSync()]).toEqual([1, 2, 3, 8]);
    expect([...tf.reverse(tf.tensor1d([1, 1, 0, 0, 0], 'bool')).dataSync()]).toEqual([0, 0, 0, 1, 1]);
    expect([...tf.reverse(x, []).dataSync()]).toEqual([1, 2, 3, 4]);
    expect([...tf.reverse(x).dataSync()]).toEqual([4, 3, 2, 1]);
    expect([...tf.reverse(x, -1).dataSync()]).toEqual([2, 1, 4, 3]);
  });
});

test('a choice between booleans writes nothing behind its result', () => {
  tf.tidy(() => {
    const chosen = [1, 0, 1, 0, 1];
    const mask = tf.tensor1d(chosen, 'bool');
    const others = tf.zeros([5], 'bool');
    // Outputs fall into the gaps between these.
    const around = Array.from({ length: 200 }, () => tf.fill([2], 7));
    around
      .filter((_, i) => i % 2 === 0)
      .forEach((tensor) => {
        tensor.dispose();
      });
    for (let i = 0; i < 50; i++) expect([...tf.where(mask, mask, others).dataSync()]).toEqual(chosen);
    for (const tensor of around.filter((_, i) => i % 2 === 1)) expect([...tensor.dataSync()]).toEqual([7, 7]);
  });
});

test('of images smaller than the window nothing comes, and nothing is written', () => {
  tf.tidy(() => {
    const image = tf.ones([2, 3, 3, 2]) as tf.Tensor4D;
    const filter = tf.ones([4, 2, 2, 1]) as tf.Tensor4D;
    const around = Array.from({ length: 200 }, () => tf.fill([8], 7));
    around
      .filter((_, i) => i % 2 === 0)
      .forEach((tensor) => {
        tensor.dispose();
      });
    for (const result of [
      tf.conv2d(image, filter, 1, 'valid'),
      tf.depthwiseConv2d(image, filter, 1, 'valid'),
      tf.fused.conv2d({ x: image, filter, strides: 1, pad: 'valid', activation: 'relu' }),
      tf.avgPool(image, 4, 1, 'valid'),
      tf.maxPool(image, 4, 1, 'valid'),
    ])
      expect(result.size).toBe(0);
    around
      .filter((_, i) => i % 2 === 1)
      .forEach((tensor) => {
        expect([...tensor.dataSync()]).toEqual(new Array(8).fill(7));
        tensor.dispose();
      });
    const pick = tf.tensor1d([1, 0], 'int32');
    expect(tf.gather(tf.zeros([0, 3]), pick, 1).shape).toEqual([0, 2]);
  });
});

test('what is not a number stays none', () => {
  tf.tidy(() => {
    const x = tf.tensor1d([NaN, -1, 7, 2, NaN]);
    const image = tf.reshape(x, [1, 5, 1, 1]) as tf.Tensor4D;
    const filter = tf.ones([1, 1, 1, 1]) as tf.Tensor4D;
    const convolved = { x: image, filter, strides: 1, pad: 'valid' } as const;
    const clipped = [NaN, 0, 6, 2, NaN];
    for (const [result, wanted] of [
      [tf.relu6(x), clipped],
      [tf.clipByValue(x, 0, 6), clipped],
      [tf.minimum(tf.maximum(0, x), 6), clipped],
      [tf.maximum(x, NaN), new Array(5).fill(NaN)],
      [tf.conv2d(image, filter, 1, 'valid'), [NaN, -1, 7, 2, NaN]],
      [tf.depthwiseConv2d(image, filter, 1, 'valid'), [NaN, -1, 7, 2, NaN]],
      [tf.fused.conv2d({ ...convolved, activation: 'relu6' }), clipped],
      [tf.fused.conv2d({ ...convolved, activation: 'relu' }), [NaN, 0, 7, 2, NaN]],
      [tf.fused.depthwiseConv2d({ ...convolved, activation: 'relu6' }), clipped],
      [tf.avgPool(image, [1, 1], 1, 'valid'), [NaN, -1, 7, 2, NaN]],
      // As on the other engines the largest of a window is that of its numbers.
      [tf.maxPool(image, [2, 1], 1, 'valid'), [-1, 7, 7, 2]],
    ] as [tf.Tensor, number[]][])
      expect([...result.dataSync()]).toEqual(wanted);
  });
});

test('the gradient of means over windows that reach out of the image is their slope', () => {
  const ofPlane = (x: tf.Tensor): tf.Tensor => tf.avgPool(x as tf.Tensor4D, 3, 2, 'same');
  const ofSpace = (x: tf.Tensor): tf.Tensor => tf.avgPool3d(x as tf.Tensor5D, 3, 2, 'same');
  for (const [shape, mean] of [
    [[2, 5, 4, 2], ofPlane],
    [[1, 5, 4, 3, 2], ofSpace],
  ] as const) {
    tf.tidy(() => {
      const places = mean(tf.zeros([...shape])).shape;
      const weights = tf.reshape(tf.cos(tf.range(0, tf.util.sizeFromShape(places))), places);
      const loss = (x: tf.Tensor): tf.Scalar => tf.sum(tf.mul(mean(x), weights));
      const gradient = tf
        .grad(loss)(tf.zeros([...shape]))
        .dataSync();
      // The loss is linear: its slope along an element is what that one alone gives.
      const size = tf.util.sizeFromShape([...shape]);
      for (let i = 0; i < size; i++) {
        const one = tf.tensor(
          Array.from({ length: size }, (_, j) => Number(i === j)),
          [...shape],
        );
        expect(gradient[i]).toBeCloseTo(loss(one).dataSync()[0]!, 5);
      }
    });
  }
});

test('a sum over no axis is the tensor itself, also where the memory grows for it', () => {
  tf.tidy(() => {
    const x = tf.ones([30_000_000]);
    expect(tf.max(tf.sum(x, [])).dataSync()[0]).toBe(1);
    expect(tf.min(tf.mean(x, [])).dataSync()[0]).toBe(1);
  });
});

test('a program that stays on the stock loader keeps its handlers of uncaught errors', () => {
  const names = process.rawListeners('uncaughtException').map(String).join();
  expect(names).not.toContain('ExitStatus');
});

test('starting twice keeps the backend and its tensors', async () => {
  const kept = tf.tensor1d([1, 2]);
  expect(await useWasm()).toBe(2);
  expect([...kept.dataSync()]).toEqual([1, 2]);
  kept.dispose();
});

test('shared copies live on when the original is gone', () => {
  const x = tf.tensor2d([[1, 2, 3]]);
  const copies = [tf.clone(x), tf.transpose(x)];
  x.dispose();
  for (const copy of copies) {
    expect([...copy.dataSync()]).toEqual([1, 2, 3]);
    copy.dispose();
  }
});

test('sums and means of millions of numbers are right to float32', () => {
  tf.tidy(() => {
    const ones = tf.ones([38_600_000]);
    expect(Math.abs(tf.mean(ones).dataSync()[0]! - 1)).toBeLessThan(1e-6);
    expect(tf.sum(ones).dataSync()[0]).toBe(38_600_000);
    const x = tf.fill([3, 4_000_001], 0.1);
    const tenth = Math.fround(0.1);
    const near = (value: number, wanted: number): void => {
      expect(Math.abs(value / wanted - 1)).toBeLessThan(1e-6);
    };
    near(ops.sumOfSquares(x).dataSync()[0]!, 12_000_003 * tenth ** 2);
    for (const value of tf.sum(x, 1).dataSync()) near(value, 4_000_001 * tenth);
    for (const value of tf.mean(tf.reshape(x, [4_000_001, 3]), 0).dataSync()) near(value, tenth);
  });
});

test.each([
  [21_400, '4280 MB'],
  [30_000, '6000 MB'],
])('a full memory says what it needed and what to do, and goes on (%i x 50,000)', (rows, size) => {
  tf.tidy(() => {
    expect(() => tf.add(tf.ones([rows, 1]), tf.ones([1, 50_000]))).toThrow(
      new RegExp(
        `^The wasm engine is out of memory: a tensor of ${size} does not fit .* Use smaller batches`,
      ),
    );
    expect(tf.sum(tf.ones([1000])).dataSync()[0]).toBe(1000);
  });
});

test('a small network learns for 300 steps without a leak of tensors or heap', () => {
  const key = ops.seedKey(1);
  const kernel = tf.variable(ops.randomNormal([8, 3], key, 0.1) as tf.Tensor2D);
  const bias = tf.variable(tf.zeros([3]) as tf.Tensor1D);
  const x = ops.randomNormal([32, 8], ops.foldIn(key, 'x'));
  const labels = tf.tidy(() =>
    tf.cast(tf.oneHot(tf.argMax(tf.slice(x, [0, 0], [32, 3]), 1), 3), 'float32'),
  ) as tf.Tensor2D;
  const moments = [kernel, bias].map(
    (variable) => [tf.variable(tf.zerosLike(variable)), tf.variable(tf.zerosLike(variable))] as const,
  );
  const step = (): number =>
    tf.tidy(() => {
      const { value, grads } = tf.variableGrads(
        () =>
          tf.mean(ops.softmaxCrossEntropy(labels, ops.linear(x, kernel, bias) as tf.Tensor2D)) as tf.Scalar,
        [kernel, bias],
      );
      [kernel, bias].forEach((variable, index) => {
        const [first, second] = moments[index]!;
        const options = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, stepSize: 0.01 };
        const result = ops.adamwUpdate(grads[variable.name]!, first, second, variable, options);
        variable.assign(tf.add(variable, result.update) as never);
        first.assign(result.firstMoment as never);
        second.assign(result.secondMoment as never);
      });
      return value.dataSync()[0]!;
    });
  const first = step();
  step();
  const { numTensors } = tf.memory();
  const heap = (): number =>
    (tf.backend() as unknown as { wasm: { asm: { memory: { buffer: ArrayBuffer } } } }).wasm.asm.memory.buffer
      .byteLength;
  const bytes = heap();
  let last = first;
  for (let i = 0; i < 300; i++) last = step();
  expect(last).toBeLessThan(0.5 * first);
  expect(tf.memory().numTensors).toBe(numTensors);
  expect(heap()).toBe(bytes);
});
