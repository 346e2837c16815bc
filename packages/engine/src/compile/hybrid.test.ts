import {
  adamwUpdate,
  attention,
  dropout,
  gelu,
  layerNorm,
  linear,
  seedKey,
  softmaxCrossEntropy,
} from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { NativeBackend } from '../libtensorflow/index.js';
import { TF_ATTR_BOOL, TF_FLOAT } from '../recording/data-types.js';
import { Sheet } from './sheet.js';
import { countAll, findLibrary, startNative } from '../native-fixture.js';

const paths = await findLibrary();
const [rows, length, hidden, heads, classes] = [4, 16, 64, 4, 2];

/** Two transformer blocks with a head on the first token, dropout and AdamW. */
class Encoder {
  readonly weights: tf.Variable[] = [];
  readonly #moments: [tf.Variable, tf.Variable][] = [];
  readonly #shapes = [hidden, hidden, hidden, hidden].map((size) => [hidden, size]);

  constructor() {
    const shapes = [
      ...this.#shapes,
      ...this.#shapes,
      [hidden, 2 * hidden],
      [2 * hidden, hidden],
      [hidden, classes],
    ];
    shapes.forEach((shape, i) => {
      const own = (make: () => tf.Tensor): tf.Variable => tf.tidy(() => tf.variable(make()));
      this.weights.push(own(() => tf.randomNormal(shape, 0, 0.2, 'float32', i + 1)));
      this.#moments.push([own(() => tf.zeros(shape)), own(() => tf.zeros(shape))]);
    });
  }

  #logits(x: tf.Tensor): tf.Tensor2D {
    const norm = (y: tf.Tensor): tf.Tensor => layerNorm(y, tf.ones([hidden]), tf.zeros([hidden]), 1e-12);
    const weight = (i: number): tf.Tensor2D => this.weights[i] as unknown as tf.Tensor2D;
    for (const first of [0, 4]) {
      const [q, k, v] = [0, 1, 2].map((i) => linear(x, weight(first + i)));
      const mixed = linear(attention(q!, k!, v!, heads), weight(first + 3));
      x = norm(tf.add(x, dropout(mixed, 0.1, seedKey(first))));
    }
    x = norm(tf.add(x, linear(gelu(linear(x, weight(8))), weight(9))));
    const token = tf.reshape(tf.slice(x, [0, 0, 0], [rows, 1, hidden]), [rows, hidden]);
    return linear(token, weight(10)) as tf.Tensor2D;
  }

  step(x: tf.Tensor, labels: tf.Tensor2D): tf.Scalar {
    return tf.tidy(() => {
      const loss = (): tf.Scalar => tf.mean(softmaxCrossEntropy(labels, this.#logits(x)));
      const { value, grads } = tf.variableGrads(loss, this.weights);
      const norm = tf.sqrt(tf.addN(Object.values(grads).map((gradient) => tf.sum(tf.square(gradient)))));
      const factor = tf.minimum(tf.div(1, norm), 1);
      this.weights.forEach((weight, i) => {
        const [first, second] = this.#moments[i]!;
        const gradient = tf.mul(grads[weight.name]!, factor);
        const result = adamwUpdate(gradient, first, second, weight, {
          ...{ beta1: 0.9, beta2: 0.999, epsilon: 1e-3, stepSize: 1e-2 },
        });
        weight.assign(tf.add(weight, result.update));
        first.assign(result.firstMoment);
        second.assign(result.secondMoment);
      });
      return value;
    });
  }
}

// As a whole only steps of small products, as all of these have, and only where XLA is fast; it computes the same elsewhere.
describe.skipIf(paths === undefined).each(['pieces', 'one whole'])('a step in bfloat16 as %s', (form) => {
  let backend: NativeBackend;

  beforeEach(async () => {
    backend = await startNative(paths!);
    backend.binding.runtime.compilesBfloat16 = form === 'one whole';
  });

  afterEach(() => {
    tf.disposeVariables();
  });

  const bfloat16 = <T>(step: () => T): T => backend.recorder.record(step, 'bfloat16');

  test('trains as in float32 up to its rounding, in place, the same twice, and says that it is compiled', () => {
    const x = tf.randomNormal([rows, length, hidden], 0, 1, 'float32', 9);
    const labels = tf.tensor2d(Array.from({ length: rows }, (_, i) => [i % 2, 1 - (i % 2)]));
    const run = (encoder: Encoder, record: <T>(step: () => T) => T): number[] =>
      Array.from({ length: 12 }, () => {
        const loss = record(() => encoder.step(x, labels));
        const value = loss.dataSync<'float32'>()[0]!;
        loss.dispose();
        return value;
      });
    const exact = run(new Encoder(), (step) => backend.recorder.record(step));
    const encoder = new Encoder();
    const rounded = run(encoder, bfloat16);
    expect(exact.at(-1)!).toBeLessThan(0.5 * exact[0]!);
    rounded.forEach((loss, i) => {
      expect(Math.abs(loss - exact[i]!)).toBeLessThan(0.03 * exact[0]!);
    });
    expect(rounded[0]).not.toBe(exact[0]);
    expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 2 });
    const before = countAll(backend);
    run(encoder, bfloat16);
    expect(countAll(backend)).toEqual(before);
    expect(run(new Encoder(), bfloat16)).toEqual(rounded);
    tf.dispose([x, labels]);
  });

  test.each(['float32', 'bfloat16'] as const)(
    'in %s and not compiled, it trains as compiled, the same twice, state kept apart, and counts no compiling',
    (precision) => {
      const x = tf.randomNormal([rows, length, hidden], 0, 1, 'float32', 9);
      const labels = tf.tensor2d(Array.from({ length: rows }, (_, i) => [i % 2, 1 - (i % 2)]));
      const run = (encoder: Encoder, compile: boolean): number[] =>
        Array.from({ length: 12 }, () => {
          const loss = backend.recorder.record(() => encoder.step(x, labels), precision, compile);
          const value = loss.dataSync<'float32'>()[0]!;
          loss.dispose();
          return value;
        });
      const encoder = new Encoder();
      const asItIs = run(encoder, false);
      expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 0, executions: 12 });
      const compiled = run(new Encoder(), true);
      asItIs.forEach((loss, i) => {
        const tolerance = precision === 'float32' ? 1e-4 : 0.01;
        expect(Math.abs(loss - compiled[i]!)).toBeLessThan(tolerance * compiled[0]!);
      });
      expect(backend.recorder.report()).toMatchObject({ graphs: 2, compilations: 1, executions: 24 });
      const before = countAll(backend);
      run(encoder, false);
      expect(countAll(backend)).toEqual(before);
      expect(run(new Encoder(), false)).toEqual(asItIs);
      tf.dispose([x, labels]);
    },
  );

  test('rounds the operands and results of products alone', () => {
    const x = tf.fill([64, 64], 1 + 2 ** -12);
    const both = bfloat16(() => tf.tidy(() => ({ plain: tf.add(x, 2 ** -12), product: tf.matMul(x, x) })));
    expect(both.plain.dataSync()[0]).toBe(1 + 2 ** -11);
    expect(both.product.dataSync()[0]).toBe(64);
    // A small one is not worth an operation of its own.
    const small = tf.fill([4, 4], 1 + 2 ** -12);
    const exact = bfloat16(() => tf.matMul(small, small));
    expect(exact.dataSync()[0]).toBeCloseTo(4 * (1 + 2 ** -12) ** 2, 5);
    tf.dispose([x, both, small, exact]);
  });

  type Stack = tf.Tensor<tf.Rank.R4>;
  const turned = (x: tf.Tensor): tf.Tensor => tf.transpose(x, [0, 1, 3, 2]);
  const heads = (x: tf.Tensor): Stack => tf.transpose(tf.reshape(x, [4, 64, 2, 32]), [0, 2, 1, 3]);

  // XLA has products in bfloat16 for some layouts alone, and lays out what comes of a transpose as it likes.
  test.each<[string, (a: tf.Tensor2D, b: tf.Tensor2D) => tf.Tensor]>([
    ['a b', (a, b) => tf.matMul(a, b)],
    ['a^T b', (a, b) => tf.matMul(a, b, true, false)],
    ['a b^T', (a, b) => tf.matMul(a, b, false, true)],
    ['a^T b^T', (a, b) => tf.matMul(a, b, true, true)],
    [
      'a b and a^T b',
      (a, b) => tf.add(tf.matMul(tf.sin(a), b), tf.matMul(tf.sin(a), tf.sin(b), true, false)),
    ],
    ['relu(a^T) b', (a, b) => tf.matMul(tf.relu(tf.transpose(a)), b)],
    ['max(a^T, 0) b', (a, b) => tf.matMul(tf.maximum(tf.transpose(a), 0), b)],
    ['a relu(b^T)', (a, b) => tf.matMul(a, tf.relu(tf.transpose(b)))],
    [
      'relu(a^T + 1) tanh(b^T)',
      (a, b) => tf.matMul(tf.relu(tf.add(tf.transpose(a), 1)), tf.tanh(tf.transpose(b))),
    ],
    ['(a b)^T (a b)', (a, b) => tf.matMul(tf.matMul(a, b), tf.matMul(a, b), true, false)],
    ['some rows of a^T b', (a, b) => tf.matMul(tf.slice(tf.transpose(a), [8, 0], [64, 256]), b)],
    [
      'a^T with a border b',
      (a, b) =>
        tf.matMul(
          tf.pad(tf.transpose(a), [
            [1, 1],
            [0, 0],
          ]) as tf.Tensor2D,
          b,
        ),
    ],
    [
      'two a^T b',
      (a, b) => tf.matMul(tf.concat([tf.transpose(a), tf.transpose(b)], 0), tf.concat([a, b], 1)),
    ],
    ['a row of a b', (a, b) => tf.matMul(tf.slice(a, [3, 0], [1, 256]), tf.concat([b, b, b], 1))],
    [
      'heads of a times heads of b',
      (a, b) =>
        tf.matMul(heads(tf.slice(a, [0, 0], [256, 64])), heads(tf.slice(b, [0, 0], [256, 64])), false, true),
    ],
    [
      'heads, the first transposed',
      (a, b) =>
        tf.matMul(heads(tf.slice(a, [0, 0], [256, 64])), heads(tf.slice(b, [0, 0], [256, 64])), true, false),
    ],
    [
      'heads, both turned before',
      (a, b) =>
        tf.matMul(
          turned(heads(tf.slice(a, [0, 0], [256, 64]))),
          tf.relu(heads(tf.slice(b, [0, 0], [256, 64]))),
        ),
    ],
    [
      'heads times one matrix',
      (a, b) => tf.matMul(heads(tf.slice(a, [0, 0], [256, 64])), tf.slice(b, [0, 0], [32, 256])),
    ],
    [
      'one head times all',
      (a, b) =>
        tf.matMul(
          tf.slice(heads(tf.slice(a, [0, 0], [256, 64])), [0, 0, 0, 0], [1, 2, 64, 32]),
          heads(tf.slice(b, [0, 0], [256, 64])),
          true,
          false,
        ),
    ],
    [
      'heads, joined again',
      (a, b) => {
        const [x, y] = [a, b].map((z) => heads(tf.slice(z, [0, 0], [256, 64])));
        const mixed = tf.matMul(tf.softmax(tf.matMul(x!, y!, false, true)), x!);
        return tf.matMul(
          tf.reshape(tf.transpose(mixed, [0, 2, 1, 3]), [256, 64]),
          tf.slice(b, [0, 0], [64, 256]),
        );
      },
    ],
  ])('%s is what it is not compiled, whatever way operands lie', (_, product) => {
    const [a, b] = [1, 2].map((seed) => tf.randomNormal([256, 256], 0, 1, 'float32', seed) as tf.Tensor2D);
    const run = (compile: boolean): tf.Tensor =>
      backend.recorder.record(() => tf.tidy(() => product(a!, b!)), 'bfloat16', compile);
    const [compiled, asItIs] = [run(true), run(false)];
    expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 1 });
    const [actual, expected] = [compiled, asItIs].map((y) => y.dataSync<'float32'>()) as [
      Float32Array,
      Float32Array,
    ];
    const largest = expected.reduce((max, value) => Math.max(max, Math.abs(value)), 0);
    actual.forEach((value, i) => {
      expect(Math.abs(value - expected[i]!)).toBeLessThan(0.02 * largest);
    });
    tf.dispose([a!, b!, compiled, asItIs]);
  });

  test('what is not trained is rounded once, anew when it changes, and what is kept of it goes with it', () => {
    const before = countAll(backend);
    const w = tf.tidy(() => tf.variable(tf.fill([128, 256], 1 + 2 ** -12)));
    const x = tf.ones([64, 128]);
    const run = (): number => {
      const y = bfloat16(() => tf.tidy(() => tf.matMul(x, w as unknown as tf.Tensor2D)));
      const [value] = y.dataSync();
      y.dispose();
      return value!;
    };
    expect(run()).toBe(128);
    const { handles } = countAll(backend);
    expect([run(), run()]).toEqual([128, 128]);
    expect(countAll(backend).handles).toBe(handles);
    for (const factor of [2, 3]) {
      tf.tidy(() => {
        w.assign(tf.fill([128, 256], factor));
      });
      expect([run(), run()]).toEqual([128 * factor, 128 * factor]);
      expect(countAll(backend).handles).toBe(handles);
    }
    // Trained in place, then read again.
    for (let i = 0; i < 2; i++)
      bfloat16(() => {
        tf.tidy(() => {
          const square = tf.matMul(w as unknown as tf.Tensor2D, w as unknown as tf.Tensor2D, true, false);
          w.assign(tf.add(tf.mul(w, 0.5), tf.mul(tf.slice(square, [0, 0], [128, 256]), 0)));
        });
      });
    expect([run(), run()]).toEqual([96, 96]);
    // Where its own values are wanted as well.
    const both = bfloat16(() => tf.tidy(() => [tf.matMul(x, w as unknown as tf.Tensor2D), tf.add(w, 1)]));
    expect(both.map((y) => y.dataSync()[0])).toEqual([96, 1.75]);
    tf.dispose([w, x, ...both]);
    expect(countAll(backend)).toEqual(before);
  });

  test('a result of a step that runs in the background goes into products of the next unwaited for, gone before it is there', async () => {
    const w = tf.tidy(() => tf.fill([512, 512], 1 / 512) as tf.Tensor2D);
    const expected: number[] = [];
    const results: tf.Tensor[] = [];
    const before = countAll(backend);
    for (let i = 1; i <= 4; i++) {
      const x = tf.fill([256, 512], i);
      const h = bfloat16(() => tf.tidy(() => tf.matMul(tf.matMul(x as tf.Tensor2D, w), w)));
      results.push(bfloat16(() => tf.tidy(() => tf.matMul(h, w))));
      tf.dispose([x, h]);
      expected.push(i);
    }
    const values = await Promise.all(results.map((y) => y.data()));
    expect(values.map(([first]) => first)).toEqual(expected);
    tf.dispose(results);
    expect(countAll(backend).tensors).toBe(before.tensors);
    // Of the weight one copy, where it is kept rounded.
    expect(countAll(backend).handles - before.handles).toBeLessThanOrEqual(2);
    w.dispose();
  });

  test('a product of no matrices is empty, and keeps nothing from being compiled', () => {
    const [none, one] = [tf.zeros([0, 64, 64]), tf.ones([1, 64, 64])];
    const shapes = bfloat16(() =>
      tf.tidy(() => [tf.matMul(one, none), tf.matMul(none, one), tf.matMul(one, one)]),
    );
    expect(shapes.map((x) => [x.shape[0], x.dataSync()[0]])).toEqual([
      [0, undefined],
      [0, undefined],
      [1, 64],
    ]);
    expect(backend.recorder.report().compiled).toBe(true);
    tf.dispose([none, one, ...shapes]);
  });

  // Small pieces run as operations, larger ones are compiled.
  test.each([64, 256])('overwrites matrices of %s rows only after everything has read it', (size) => {
    const [a, b] = [tf.variable(tf.ones([size, size])), tf.variable(tf.fill([size, size], 2))];
    for (let i = 0; i < 3; i++) {
      const product = bfloat16(() =>
        tf.tidy(() => {
          const before = tf.matMul(a as unknown as tf.Tensor2D, b as unknown as tf.Tensor2D);
          const [x, y] = [tf.add(a, 1), tf.mul(b, 2)];
          a.assign(y);
          b.assign(x);
          return tf.add(before, tf.mul(a, 0));
        }),
      );
      // (1, 2) -> (4, 2) -> (4, 5) -> (10, 5)
      expect(product.dataSync()[0]).toBe(size * [2, 8, 20][i]!);
      product.dispose();
    }
    expect(a.dataSync()[0]).toBe(10);
    expect(b.dataSync()[0]).toBe(5);
  });

  test.each([64, 2 ** 16])('a value of %s that something still holds keeps what it had', (size) => {
    const w = tf.variable(tf.ones([size]));
    const kept = tf.clone(w);
    for (let i = 0; i < 3; i++)
      bfloat16(() => {
        w.assign(tf.tidy(() => tf.add(w, 1)));
      });
    expect(kept.dataSync()[5]).toBe(1);
    expect(w.dataSync()[5]).toBe(4);
    kept.dispose();
  });

  test('updates of equal small weights share compiled functions, and update each its own', () => {
    const { functionNames } = (tf.backend() as unknown as NativeBackend).binding.runtime;
    const pieces = (): number => [...functionNames.keys()].filter((name) => name.startsWith('piece_')).length;
    const before = pieces();
    const weights = Array.from({ length: 25 }, (_, i) => tf.variable(tf.fill([300], i)));
    const factor = tf.scalar(0.5);
    bfloat16(() => {
      tf.tidy(() => {
        const scale = tf.sqrt(tf.mul(factor, factor));
        for (const [i, weight] of weights.entries()) {
          let x: tf.Tensor = tf.mul(weight, scale);
          for (let k = 0; k < 5; k++) x = tf.add(tf.mul(x, scale), 1);
          weight.assign(i % 5 === 0 ? tf.sub(x, weight) : tf.add(x, weight));
        }
      });
    });
    // Twenty are four bundles, one function; of the others three are another, and two few enough to run as they are.
    expect(pieces() - before).toBe(2);
    weights.forEach((weight, i) => {
      expect(weight.dataSync()[299]).toBeCloseTo(i / 64 + 1.9375 + (i % 5 === 0 ? -i : i), 4);
    });
    tf.dispose([...weights, factor]);
  });

  test('how large the products of a step are: what each counts is its own share of all multiplications', () => {
    const { runtime } = (tf.backend() as unknown as NativeBackend).binding;
    const shapes = [
      [512, 1024],
      [1024, 256],
      [512, 64],
    ];
    const feeds = shapes.map((shape, oper) => ({ oper, index: 0, dtype: TF_FLOAT, shape }));
    const sheet = new Sheet(runtime.context, feeds, { precision: 'float32', compile: true });
    expect(sheet.productSize).toBe(0);
    const transposed = [{ name: 'transpose_a', type: TF_ATTR_BOOL, value: true }];
    sheet.add('MatMul', [], [sheet.feed(0), sheet.feed(1)], 1);
    sheet.add('MatMul', transposed, [sheet.feed(0), sheet.feed(2)], 1);
    const [large, small] = [512 * 1024 * 256, 1024 * 512 * 64];
    expect(sheet.productSize).toBeCloseTo((large * large + small * small) / (large + small), 3);
    sheet.graph.delete();
  });

  test('what cannot be recorded or compiled runs by itself', () => {
    const x = tf.tensor1d([3, 1, 3, 2]);
    const y = bfloat16(() => tf.tidy(() => tf.mul(tf.unique(tf.add(x, 1)).values, 2)));
    expect([...y.dataSync()]).toEqual([8, 4, 6]);
    expect(backend.recorder.report().lastReason).toContain('UniqueV2');
    // More than what runs as it is.
    const image = tf.ones<tf.Rank.R4>([1, 100, 100, 2]);
    const filter = tf.ones([2, 2, 2]) as tf.Tensor3D;
    const f = (): tf.Tensor => tf.tidy(() => tf.mul(tf.dilation2d(tf.add(image, 1), filter, 1, 'same'), 2));
    expect(bfloat16(f).dataSync()).toEqual(f().dataSync());
    expect(backend.recorder.report().lastReason).toContain('Dilation2D');
    tf.dispose([x, y, image, filter]);
  });
});
