import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { drawOnHost } from '../random/draw.js';
import { normalParameters } from '../random/distributions.js';
import { seedKey } from '../random/key.js';
import { composed, type KernelName } from '../kernels.js';
import { attention, attentionByScores, splitHeads } from './attention.js';
import { gelu } from './gelu.js';
import { layerNorm } from './layer-norm.js';
import { linear } from './linear.js';
import { registerReferenceKernels, unregisterReferenceKernels } from './reference-kernels.fixture.js';
import { sumOfSquares } from './sum-of-squares.js';
import { softmaxCrossEntropy } from './softmax-cross-entropy.js';

interface Case {
  readonly name: string;
  readonly kernels: KernelName[];
  readonly shapes: number[][];
  readonly f: (...inputs: tf.Tensor[]) => tf.Tensor;
}

const maskBias = (): tf.Tensor => tf.tensor([0, 0, -1e9, 0, -1e9, -1e9], [2, 1, 1, 3]);
const dropped = { rate: 0.3, key: seedKey(5) };

const cases: Case[] = [
  {
    name: 'linear',
    kernels: ['Linear', 'LinearInputGradient', 'LinearKernelGradient', 'LinearBiasGradient'],
    shapes: [[2, 3, 4], [4, 5], [5]],
    f: (x, kernel, bias) => linear(x!, kernel as tf.Tensor2D, bias as tf.Tensor1D),
  },
  {
    name: 'linear without a bias, one row',
    kernels: ['Linear', 'LinearInputGradient', 'LinearKernelGradient'],
    shapes: [[4], [4, 5]],
    f: (x, kernel) => linear(x!, kernel as tf.Tensor2D),
  },
  {
    name: 'layerNorm',
    kernels: ['LayerNorm', 'LayerNormGradient'],
    shapes: [[2, 3, 6], [6], [6]],
    f: (x, scale, offset) => layerNorm(x!, scale as tf.Tensor1D, offset as tf.Tensor1D, 1e-5),
  },
  { name: 'gelu', kernels: ['Gelu', 'GeluGradient'], shapes: [[3, 7]], f: (x) => gelu(x!) },
  {
    name: 'attention',
    kernels: ['Attention', 'AttentionGradient'],
    shapes: [
      [2, 3, 4],
      [2, 3, 4],
      [2, 3, 4],
    ],
    f: (q, k, v) => tf.tidy(() => attention(q!, k!, v!, 2, maskBias())),
  },
  {
    name: 'attention to another length, with dropout',
    kernels: ['Attention', 'AttentionGradient'],
    shapes: [
      [2, 3, 4],
      [2, 5, 4],
      [2, 5, 4],
    ],
    f: (q, k, v) => attention(q!, k!, v!, 2, undefined, dropped),
  },
  {
    name: 'attention in a window',
    kernels: ['Attention', 'AttentionGradient'],
    shapes: [
      [2, 3, 4],
      [2, 3, 4],
      [2, 3, 4],
    ],
    f: (q, k, v) =>
      tf.tidy(() => attention(q!, k!, v!, 2, tf.tensor([0, 0, -1e9, 0, 0, 0, -1e9, 0, 0], [1, 1, 3, 3]))),
  },
  {
    name: 'softmaxCrossEntropy',
    kernels: ['SoftmaxCrossEntropy', 'SoftmaxCrossEntropyGradient'],
    shapes: [
      [4, 3],
      [4, 3],
    ],
    f: (labels, logits) => softmaxCrossEntropy(labels as tf.Tensor2D, logits as tf.Tensor2D),
  },
  { name: 'sumOfSquares', kernels: ['SumOfSquares'], shapes: [[3, 7, 2]], f: (x) => sumOfSquares(x!) },
];

const inputsOf = ({ shapes }: Case): tf.Tensor[] =>
  shapes.map((shape, i) => tf.tensor(drawOnHost('normal', shape, seedKey(i), normalParameters(1)), shape));

/** A scalar of the output with a different weight for each element. */
const scalarOf = (y: tf.Tensor): tf.Scalar =>
  tf.sum(tf.mul(y, tf.reshape(tf.cos(tf.range(1, y.size + 1)), y.shape)));

beforeAll(async () => {
  await tf.setBackend('cpu');
});

afterEach(() => {
  unregisterReferenceKernels();
  expect(tf.memory().numTensors).toBe(0);
});

describe.each(cases)('$name', (each) => {
  const loss = (...inputs: tf.Tensor[]): tf.Scalar => scalarOf(each.f(...inputs));

  test('the gradient of the composition is the slope', () => {
    tf.tidy(() => {
      const inputs = inputsOf(each);
      const gradients = tf.grads(loss)(inputs);
      inputs.forEach((input, which) => {
        const slopes = Array.from(input.dataSync(), (_, i) => {
          const at = (step: number): number => {
            const values = input.dataSync().slice();
            values[i]! += step;
            return loss(
              ...inputs.map((other, j) => (j === which ? tf.tensor(values, input.shape) : other)),
            ).dataSync()[0]!;
          };
          // Fourth-order central difference: its error is far below the noise of float32.
          const h = 0.05;
          return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        });
        expectClose(gradients[which]!.dataSync(), slopes, 2e-3);
      });
    });
  });

  test('kernels, where the backend has them, give the same values and gradients', () => {
    tf.tidy(() => {
      const inputs = inputsOf(each);
      const plain = [each.f(...inputs), ...tf.grads(loss)(inputs)];
      const calls = registerReferenceKernels('cpu');
      const fused = [each.f(...inputs), ...tf.grads(loss)(inputs)];
      fused.forEach((tensor, i) => {
        expectClose(tensor.dataSync(), plain[i]!.dataSync(), 1e-5);
      });
      expect([...calls].sort()).toEqual([...each.kernels].sort());
      calls.clear();
      const forced = composed(() => each.f(...inputs));
      expect(forced.dataSync()).toEqual(plain[0]!.dataSync());
      expect([...calls]).toEqual([]);
    });
  });

  test.each([false, true])('leaves nothing but its results, with kernels: %s', (withKernels) => {
    const inputs = inputsOf(each);
    if (withKernels) registerReferenceKernels('cpu');
    const before = tf.memory().numTensors;
    const results = [each.f(...inputs), ...tf.grads(loss)(inputs)];
    expect(tf.memory().numTensors).toBe(before + results.length);
    tf.dispose([...results, ...inputs]);
  });

  test('second derivatives in composed(), whatever kernels there are, are the slope of the gradient', () => {
    tf.tidy(() => {
      registerReferenceKernels('cpu');
      const inputs = inputsOf(each);
      const direction = inputs.map((x, i) => tf.cos(tf.reshape(tf.range(i, i + x.size), x.shape)));
      // Along one line through all inputs, so that every pair of them takes part.
      const gradientAlong = (t: tf.Tensor): tf.Tensor =>
        tf.grad((u: tf.Tensor) => loss(...inputs.map((x, i) => tf.add(x, tf.mul(direction[i]!, u)))))(t);
      composed(() => {
        const at = (t: number): number => gradientAlong(tf.scalar(t)).dataSync()[0]!;
        const h = 0.05;
        const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        expectClose(tf.grad(gradientAlong)(tf.scalar(0)).dataSync(), [slope], 2e-3);
      });
    });
  });
});

test('attention: hidden keys get no weight, and a bias with heads has a gradient', () => {
  tf.tidy(() => {
    registerReferenceKernels('cpu');
    const [q, k, v] = inputsOf(cases[4]!) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const changed = tf.add(v, tf.tensor([0, 0, 100, 0, 100, 100], [2, 3, 1]));
    expectClose(
      attention(q, k, changed, 2, maskBias()).dataSync(),
      attention(q, k, v, 2, maskBias()).dataSync(),
      1e-5,
    );
    const bias = tf.zeros([1, 2, 3, 3]);
    const gradient = tf.grad((b: tf.Tensor) => scalarOf(attention(q, k, v, 2, b)))(bias);
    expect(gradient.shape).toEqual([1, 2, 3, 3]);
    expect(Math.max(...gradient.dataSync().map(Math.abs))).toBeGreaterThan(0.01);
  });
});

test('attention from its own scores is attention, with the same dropout', () => {
  tf.tidy(() => {
    const [q, k, v] = inputsOf(cases[4]!) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scale = Math.sqrt(2 / q.shape[2]!);
    const products = tf.matMul(splitHeads(tf.mul(q, scale), 2), splitHeads(k, 2), false, true);
    const scores = tf.add(products, maskBias());
    for (const dropout of [undefined, dropped])
      expectClose(
        attentionByScores(scores, v, dropout).dataSync(),
        attention(q, k, v, 2, maskBias(), dropout).dataSync(),
        1e-6,
      );
  });
});

test('a frozen kernel costs no gradient', () => {
  tf.tidy(() => {
    const calls = registerReferenceKernels('cpu');
    const [x, kernel, bias] = inputsOf(cases[0]!) as [tf.Tensor, tf.Tensor2D, tf.Tensor1D];
    tf.grad((b: tf.Tensor) => scalarOf(linear(x, kernel, b as tf.Tensor1D)))(bias);
    expect([...calls]).toEqual(['Linear', 'LinearBiasGradient']);
  });
});

test('known values', () => {
  tf.tidy(() => {
    expectClose(gelu(tf.tensor1d([-1, 0, 1, 2])).dataSync(), [-0.15865526, 0, 0.84134474, 1.9544997], 1e-6);
    expectClose(
      layerNorm(tf.tensor2d([[1, 2, 3]]), tf.tensor1d([1, 2, 3]), tf.tensor1d([0, 0, 1]), 0).dataSync(),
      [-Math.sqrt(1.5), 0, 1 + 3 * Math.sqrt(1.5)],
      1e-6,
    );
    expectClose(
      softmaxCrossEntropy(tf.tensor2d([[0, 1]]), tf.tensor2d([[1000, 0]])).dataSync(),
      [1000],
      1e-6,
    );
  });
});

test('shapes that do not fit are named', () => {
  tf.tidy(() => {
    expect(() => linear(tf.ones([2, 3]), tf.ones([4, 5]))).toThrow(
      "linear: x's last axis must be the kernel's first, got x [2,3] and kernel [4,5].",
    );
    expect(() => attention(tf.ones([1, 2, 5]), tf.ones([1, 2, 5]), tf.ones([1, 2, 5]), 2)).toThrow(
      'attention: query must be [batch, length, hidden] with hidden a multiple of 2 heads, got [1,2,5].',
    );
    expect(() => softmaxCrossEntropy(tf.ones([2, 3]), tf.ones([2, 2]))).toThrow('got [2,3] and [2,2]');
  });
});

function expectClose(got: ArrayLike<number>, wanted: ArrayLike<number>, tolerance: number): void {
  expect(got.length).toBe(wanted.length);
  for (let i = 0; i < got.length; i++) {
    expect(Math.abs(got[i]! - wanted[i]!)).toBeLessThan(tolerance * Math.max(1, Math.abs(wanted[i]!)));
  }
}
