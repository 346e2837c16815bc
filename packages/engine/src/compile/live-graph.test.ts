import { attention, dropout, gelu, layerNorm, linear, seedKey } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { findLibrary, startNative } from '../native-fixture.js';
import type { NativeBackend } from '../libtensorflow/index.js';
import type { Node } from '../recording/platform.js';
import { Graph } from './graph.js';

const paths = await findLibrary();

describe.skipIf(paths === undefined)('what lives on of a recorded step', () => {
  let backend: NativeBackend;

  beforeEach(async () => {
    backend = await startNative(paths!);
  });

  afterEach(() => {
    vi.restoreAllMocks();
  });

  /** Runs `step` at once and compiled and expects the same of both. */
  function compareBoth(step: () => tf.Tensor[], tolerance: number): void {
    const expected = tf.tidy(step);
    const actual = backend.recorder.record(() => tf.tidy(step));
    expect(backend.recorder.report().compiled).toBe(true);
    actual.forEach((tensor, i) => {
      expect(tensor.shape).toEqual(expected[i]!.shape);
      const [a, b] = [tensor.dataSync(), expected[i]!.dataSync()];
      a.forEach((value, k) => {
        expect(Math.abs(value - b[k]!)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(b[k]!)));
      });
    });
  }

  /** {@link compareBoth}; gives the operations of the compiled function with the shapes of their results. */
  function compile(step: () => tf.Tensor[]): { name: string; shape: string }[] {
    const spies = [vi.spyOn(Graph.prototype, 'add'), vi.spyOn(Graph.prototype, 'call')];
    const cut = vi.spyOn(Graph.prototype, 'cut');
    compareBoth(step, 1e-5);
    const place = cut.mock.calls.findLastIndex(([name]) => name.startsWith('step_'));
    const cutOut = new Set(cut.mock.calls[place]![1]);
    // Of this graph alone: where a graph that is gone had an operation, another's may lie now.
    const graph = cut.mock.contexts[place];
    return spies.flatMap(({ mock }) =>
      mock.results.flatMap(({ value }, i) =>
        (value as Node[])
          .filter(({ oper }) => mock.contexts[i] === graph && cutOut.has(oper))
          .map(({ shape }) => ({ name: mock.calls[i]![0], shape: String(shape) })),
      ),
    );
  }

  const [B, T, H, I, HEADS] = [2, 5, 6, 7, 3];
  let seed = 0;
  const normal = (...shape: number[]): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', ++seed);

  /** A post-norm encoder block as the models have it, with dropout on the hidden states and the probabilities. */
  function encoder(): {
    weights: tf.Tensor[];
    apply: (hidden: tf.Tensor, weights: tf.Tensor[]) => tf.Tensor;
  } {
    const shapes = [...Array<number[]>(4).fill([H, H]), [H, I], [I, H], [H], [I], [H], [H]];
    const bias = normal(B, 1, 1, T);
    const key = seedKey(1);
    return {
      weights: shapes.map((shape) => normal(...shape)),
      apply: (hidden, weights) => {
        const [q, k, v, o, inner, outer] = weights as tf.Tensor2D[];
        const [b1, b2, scale, offset] = weights.slice(6) as tf.Tensor1D[];
        const [queries, keys, values] = [q!, k!, v!].map((kernel) => linear(hidden, kernel, b1));
        const context = attention(queries!, keys!, values!, HEADS, bias, { rate: 0.2, key });
        const projected = dropout(linear(context, o!), 0.2, key);
        const attended = layerNorm(tf.add(projected, hidden), scale!, offset!, 1e-12);
        const widened = gelu(linear(attended, inner!, b2));
        return layerNorm(tf.add(linear(widened, outer!), attended), scale!, offset!, 1e-12);
      },
    };
  }

  const token = (hidden: tf.Tensor, start: number, size = 1): tf.Tensor =>
    tf.slice(hidden, [0, start, 0], [B, size, H]);
  const wide = String([B, T, I]);

  test('an encoder whose first token is read computes the rest for keys and values alone', () => {
    const hidden = normal(B, T, H);
    const { weights, apply } = encoder();
    const nodes = compile(() => {
      const loss = (...inputs: tf.Tensor[]): tf.Scalar =>
        tf.sum(tf.square(token(apply(inputs[0]!, inputs.slice(1)), 0)));
      return tf.grads(loss)([hidden, ...weights]);
    });
    const shapes = nodes.map(({ shape }) => shape);
    expect(shapes).toContain(String([B, 1, I]));
    expect(shapes).not.toContain(wide);
    // Keys and values, and what their gradients give the hidden states.
    const products = nodes.filter(
      ({ name, shape }) => name.startsWith('Linear') && shape === String([B, T, H]),
    );
    expect(products).toHaveLength(4);
  });

  test('all rows are computed if a whole result is read as well, or other rows of it', () => {
    const hidden = normal(B, T, H);
    const { weights, apply } = encoder();
    const lastToo = compile(() => {
      const result = apply(hidden, weights);
      return [token(result, 0), token(result, T - 1, 1)];
    });
    expect(lastToo.map(({ shape }) => shape)).toContain(wide);
  });

  test('a result that lives on is whole, and its rows are taken from it', () => {
    const hidden = normal(B, T, H);
    const { weights, apply } = encoder();
    const nodes = compile(() => {
      const result = apply(hidden, weights);
      return [result, token(result, 2, 2)];
    });
    expect(nodes.map(({ shape }) => shape)).toContain(wide);
  });

  test('a gradient that is zero in most rows is filled up where all of it is read', () => {
    const hidden = normal(B, T, H);
    const scale = normal(H) as tf.Tensor1D;
    const nodes = compile(() => {
      const read = (x: tf.Tensor): tf.Scalar =>
        tf.sum(tf.square(token(layerNorm(x, scale, scale, 1e-3), 3, 2)));
      return [tf.grad(read)(hidden)];
    });
    expect(nodes.filter(({ shape }) => shape === String([B, T, H]))).toEqual([
      { name: 'Pad', shape: String([B, T, H]) },
    ]);
  });

  test('what nobody reads is left out, even what cannot be compiled', () => {
    const x = normal(1, 5, 5, 2) as tf.Tensor4D;
    const nodes = compile(() => {
      tf.dilation2d(x, normal(2, 2, 2) as tf.Tensor3D, 1, 'same');
      return [tf.mul(x, 2)];
    });
    expect(nodes.map(({ name }) => name)).not.toContain('Dilation2D');
  });

  test('random programs of slices and operations on rows, and their gradients', () => {
    let state = 1;
    const choose = (count: number): number => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return Math.floor((state / 2 ** 32) * count);
    };
    const shape = [2, 4, 3];
    const kernel = normal(3, 3) as tf.Tensor2D;
    const [wideMask, row, column] = [normal(...shape), normal(4, 1), normal(3) as tf.Tensor1D];
    /** Operations that keep the shape; some mix rows. */
    const steps: ((x: tf.Tensor, y: tf.Tensor) => tf.Tensor)[] = [
      (x) => tf.tanh(x),
      (x) => tf.mul(x, wideMask),
      (x) => tf.mul(row, x),
      (x, y) => tf.add(x, y),
      (x, y) => tf.mul(x, y),
      (x, y) => tf.sub(y, tf.div(x, 2)),
      (x) => linear(x, kernel, column),
      (x) => layerNorm(x, column, column, 0.1),
      (x) => gelu(x),
      (x, y) => attention(x, y, tf.tanh(x), 3),
      (x) => tf.reverse(x, 1),
      (x) => tf.sub(x, tf.mean(x, 1, true)),
    ];
    for (let program = 0; program < 40; program++) {
      const [size, choices] = [3 + choose(8), Array.from({ length: 64 }, () => choose(1 << 16))];
      const run = (x: tf.Tensor, y: tf.Tensor): tf.Tensor[] => {
        let next = 0;
        const pick = (count: number): number => choices[next++ % choices.length]! % count;
        const values = [x, y];
        const any = (): tf.Tensor => values[pick(values.length)]!;
        for (let i = 0; i < size; i++) {
          const step = steps[pick(steps.length)]!;
          values.push(step(values.at(-1)!, any()));
        }
        return Array.from({ length: 1 + pick(3) }, () => {
          const axis = pick(3);
          const begin = [0, 0, 0].map((_, i) => (i === axis ? pick(shape[i]!) : 0));
          const length = shape.map((all, i) => (i === axis ? 1 + pick(all - begin[i]!) : all));
          return tf.slice(pick(3) === 0 ? any() : values.at(-1)!, begin, length);
        });
      };
      const [x, y] = [normal(...shape), normal(...shape)];
      compareBoth(() => {
        const loss = (...inputs: tf.Tensor[]): tf.Scalar => {
          const parts = run(inputs[0]!, inputs[1]!).map((part) => tf.sum(tf.sin(part)));
          return tf.addN([tf.sum(tf.mul(inputs[0]!, inputs[1]!)), ...parts]) as tf.Scalar;
        };
        return [...run(x, y), ...tf.grads(loss)([x, y])];
      }, 1e-4);
    }
  });
});
