import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { countAll, findLibrary, startNative } from '../native-fixture.js';
import type { NativeBackend } from '../libtensorflow/index.js';
import { Classifier, batch } from './classifier-fixture.js';
import { Sheet } from './sheet.js';

const paths = await findLibrary();

describe.skipIf(paths === undefined)('a recorded step', () => {
  let backend: NativeBackend;

  beforeEach(async () => {
    backend = await startNative(paths!, 6);
  });

  afterEach(() => {
    tf.disposeVariables();
  });

  const record = <T>(step: () => T): T => backend.recorder.record(step);
  const close = (actual: tf.Tensor, expected: tf.Tensor, tolerance = 1e-6): void => {
    expect(actual.shape).toEqual(expected.shape);
    const a = actual.dataSync();
    const values = expected.dataSync();
    values.forEach((value, i) => {
      expect(Math.abs(a[i]! - value)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(value)));
    });
  };

  test('gives what the same operations give at once, whatever lives on', () => {
    const x = tf.tensor2d([1, 2, 3, 4], [2, 2]);
    const f = (): tf.Tensor[] => {
      const y = tf.matMul(x, x);
      const z = tf.softmax(tf.add(y, 1));
      return [y, z, tf.sum(z, 0)];
    };
    const expected = tf.tidy(f);
    const [y, z, s] = record(() => tf.tidy(f));
    [y!, z!, s!].forEach((value, i) => {
      close(value, expected[i]!);
    });
    const onlySum = record(() => tf.tidy(() => f()[2]!));
    close(onlySum, expected[2]!);
    expect(backend.recorder.report()).toMatchObject({
      compiled: true,
      graphs: 2,
      compilations: 2,
      executions: 2,
    });
  });

  test('does not compile again for another scalar, another value or a shape it has seen', () => {
    for (let i = 0; i < 12; i++) {
      const x = tf.ones([2 + (i % 2), 3]);
      const y = record(() => tf.tidy(() => tf.mul(tf.sum(tf.mul(x, 0.5 + i), 1), i)));
      close(y, tf.fill([2 + (i % 2)], 3 * (0.5 + i) * i));
      tf.dispose([x, y]);
    }
    expect(backend.recorder.report()).toMatchObject({ graphs: 2, compilations: 2, executions: 12 });
  });

  test('takes another axis or shape as another step', () => {
    const x = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
    const sum = (axis: number): tf.Tensor => record(() => tf.sum(x, axis));
    close(sum(0), tf.tensor1d([5, 7, 9]));
    close(sum(1), tf.tensor1d([6, 15]));
    close(sum(0), tf.tensor1d([5, 7, 9]));
    expect(backend.recorder.report().graphs).toBe(2);
  });

  test('reads a value in its midst', () => {
    const x = tf.tensor1d([1, 2, 3]);
    for (const factor of [2, 3]) {
      const y = record(() => {
        const doubled = tf.mul(x, factor);
        const largest = doubled.dataSync()[2]!;
        return tf.add(doubled, largest > 6 ? 100 : 0);
      });
      close(y, factor === 2 ? tf.tensor1d([2, 4, 6]) : tf.tensor1d([103, 106, 109]));
    }
    expect(backend.recorder.report()).toMatchObject({ compiled: true, graphs: 2 });
  });

  test('trains like the same steps at once, and updates its state in place without a growing handle', () => {
    const [eager, compiled] = [new Classifier(3), new Classifier(3)];
    let before;
    for (let i = 0; i < 200; i++) {
      const { x, y } = batch(i % 2 === 0 ? 8 : 12);
      const expected = eager.step(x, y);
      const loss = record(() => compiled.step(x, y));
      close(loss, expected, 1e-4);
      tf.dispose([x, y, expected, loss]);
      if (i === 3) before = countAll(backend);
    }
    expect(countAll(backend)).toEqual(before);
    expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 2, executions: 200 });
    close(compiled.weights[0]!, eager.weights[0]!, 1e-4);
  });

  test('keeps old state that something still holds', () => {
    const w = tf.variable(tf.ones([64]));
    const kept = tf.clone(w);
    for (let i = 0; i < 3; i++)
      record(() => {
        w.assign(tf.tidy(() => tf.add(w, 1)));
      });
    close(kept, tf.ones([64]));
    close(w, tf.fill([64], 4));
    const snapshot = tf.clone(w);
    record(() => {
      w.assign(tf.tidy(() => tf.add(w, 1)));
    });
    close(snapshot, tf.fill([64], 4));
    close(w, tf.fill([64], 5));
  });

  test('swaps two states', () => {
    const [a, b] = [tf.variable(tf.ones([64])), tf.variable(tf.zeros([64]))];
    for (let i = 0; i < 3; i++) {
      record(() => {
        tf.tidy(() => {
          const [x, y] = [tf.add(a, 1), tf.mul(b, 2)];
          a.assign(y);
          b.assign(x);
        });
      });
    }
    // (1, 0) -> (0, 2) -> (4, 1) -> (2, 5)
    close(a, tf.fill([64], 2));
    close(b, tf.fill([64], 5));
  });

  test('runs an operation that depends on data by itself and names it', () => {
    const x = tf.tensor1d([3, 1, 3, 2]);
    for (let i = 0; i < 2; i++) {
      const y = record(() => tf.mul(tf.unique(tf.add(x, 1)).values, 2));
      close(y, tf.tensor1d([8, 4, 6]));
    }
    const report = backend.recorder.report();
    expect(report.compiled).toBe(false);
    expect(report.lastReason).toContain('UniqueV2');
    expect(Object.keys(report.eagerOperations)).toEqual(['UniqueV2']);
  });

  test('runs an operation that XLA refuses by itself, the rest compiled', () => {
    const x = tf.randomNormal<tf.Rank.R4>([1, 5, 5, 2]);
    const filter = tf.ones([2, 2, 2]) as tf.Tensor3D;
    const f = (): tf.Tensor => tf.tidy(() => tf.mul(tf.dilation2d(tf.add(x, 1), filter, 1, 'same'), 2));
    const expected = f();
    for (let i = 0; i < 3; i++) close(record(f), expected);
    const report = backend.recorder.report();
    expect(report.compiled).toBe(false);
    expect(report.lastReason).toContain('Dilation2D');
    expect(report.executions).toBeGreaterThanOrEqual(4);
  });

  test('compiles the gradient of average pooling', () => {
    const x = tf.reshape(tf.range(0, 32), [1, 4, 4, 2]) as tf.Tensor4D;
    const f = (): tf.Tensor =>
      tf.tidy(() =>
        tf.grad((y: tf.Tensor) => tf.sum(tf.square(tf.avgPool(y as tf.Tensor4D, 2, 2, 'valid'))))(x),
      );
    close(record(f), f());
    expect(backend.recorder.report().compiled).toBe(true);
  });

  test('an operation that cannot be recorded once is recorded where it can', () => {
    const x = tf.ones([3, 4]);
    close(
      record(() => tf.mean(tf.tensor1d([1, 2, 4], 'int32'))),
      tf.scalar(7 / 3),
    );
    expect(backend.recorder.report()).toMatchObject({
      compiled: false,
      eagerOperations: { Mean: expect.any(String) as string },
    });
    close(
      record(() => tf.tidy(() => tf.mean(tf.mul(x, 2)))),
      tf.scalar(2),
    );
    expect(backend.recorder.report().compiled).toBe(true);
  });

  test('a product with what a transpose leaves where it is, as the gradient of a gather is', () => {
    const [square, wide] = [tf.randomNormal<tf.Rank.R2>([64, 64], 0, 1, 'float32', 1), tf.ones([128, 64])];
    const indices = tf.range(0, 64, 1, 'int32');
    const gradient = tf.grad((table: tf.Tensor) => tf.sum(tf.mul(tf.gather(table, indices), square)));
    const products = [
      () => tf.matMul(tf.transpose(square, [0, 1]), square),
      () => tf.matMul(tf.transpose(wide, [0, 1]) as tf.Tensor2D, square),
      () => tf.matMul(tf.transpose(wide) as tf.Tensor2D, wide as tf.Tensor2D),
      () => tf.matMul(gradient(square), square),
    ].map((product) => () => tf.tidy(product));
    for (const product of products)
      for (const [precision, tolerance] of [
        ['float32', 1e-5],
        ['bfloat16', 0.3],
      ] as const)
        for (const compile of [true, false])
          close(backend.recorder.record(product, precision, compile), product(), tolerance);
  });

  test('a step that cannot be written is computed at once, and the next one is recorded', () => {
    const state = tf.variable(tf.ones([3]));
    const add = vi.spyOn(Sheet.prototype, 'add').mockImplementationOnce(() => {
      throw new Error('cannot be written');
    });
    const step = (): tf.Tensor =>
      record(() => {
        state.assign(tf.mul(state, 2));
        return tf.exp(state);
      });
    close(step(), tf.fill([3], Math.exp(2)));
    expect(backend.recorder.report()).toMatchObject({ compiled: false, lastReason: 'cannot be written' });
    add.mockRestore();
    close(step(), tf.fill([3], Math.exp(4)), 1e-5);
    close(state, tf.fill([3], 4));
    expect(backend.recorder.report()).toMatchObject({ compiled: true, executions: 1 });
  });

  test('gives functions back when there are too many, and goes on compiled', () => {
    const kept = tf.ones([64]);
    const strings = tf.tensor1d(['a', 'some longer text that does not fit into the string itself']);
    for (let n = 1; n <= 15; n++) {
      const y = record(() => tf.tidy(() => tf.add(tf.mul(tf.ones([n]), tf.sum(kept)), n)));
      close(y, tf.fill([n], 64 + n));
    }
    const report = backend.recorder.report();
    expect(report).toMatchObject({
      compiled: true,
      graphs: 3,
      compilations: 15,
      executions: 15,
      renewals: 2,
    });
    expect(strings.dataSync()[1]).toMatch(/^some longer text .* itself$/);
    tf.dispose([kept, strings]);
  });

  test('trains through renewals, in the midst of steps too, without a growing handle', () => {
    const [eager, compiled] = [new Classifier(3), new Classifier(3)];
    let before;
    for (let i = 0; i < 18; i++) {
      const { x, y } = batch(4 + (i % 6));
      const expected = eager.step(x, y);
      const loss = record(() =>
        tf.tidy(() => {
          const result = compiled.step(x, y);
          result.dataSync(); // splits the step: the rest of it is another function
          return tf.mul(result, 1);
        }),
      );
      close(loss, expected, 1e-4);
      tf.dispose([x, y, expected, loss]);
      compiled.weights[0]!.dataSync(); // a weight that was read has a handle beside its variable
      if (i === 11) before = countAll(backend);
    }
    expect(backend.recorder.report().renewals).toBeGreaterThan(1);
    expect(backend.recorder.report().compiled).toBe(true);
    expect(countAll(backend)).toEqual(before);
    close(compiled.weights[0]!, eager.weights[0]!, 1e-4);
  });

  test('leaves assigned state as it is when the step throws later', () => {
    const w = tf.tidy(() => tf.variable(tf.ones([64])));
    record(() => {
      tf.tidy(() => {
        w.assign(tf.mul(w, 1));
      });
    });
    let before;
    for (let i = 0; i < 3; i++) {
      expect(() =>
        record(() =>
          tf.tidy(() => {
            w.assign(tf.mul(w, 2));
            tf.add(w, 1);
            throw new Error('a tap');
          }),
        ),
      ).toThrow('a tap');
      before ??= countAll(backend);
    }
    expect(countAll(backend)).toEqual(before);
    close(w, tf.fill([64], 8));
    close(
      record(() => tf.add(w, 1)),
      tf.fill([64], 9),
    );
  });

  test('reports a wrong operation like the operation itself', () => {
    const binding = backend.binding;
    expect(() => {
      record(() => {
        const id = binding.createTensor([2], binding.TF_FLOAT, Float32Array.of(1, 2));
        binding.executeOp('NoSuchOperation', [], [id], 1);
      });
    }).toThrow(/NoSuchOperation/);
  });

  test('records nothing outside', () => {
    tf.add(tf.ones([2]), 1).dataSync();
    expect(backend.recorder.report()).toEqual({
      compiled: false,
      graphs: 0,
      compilations: 0,
      executions: 0,
      renewals: 0,
      eagerOperations: {},
    });
  });

  test('runs in the background: the event loop goes on until its values are there', async () => {
    const x = tf.mul(tf.ones<tf.Rank.R2>([1500, 1500]), 1 / 1500);
    const step = (): tf.Tensor =>
      tf.tidy(() => {
        let y = x;
        for (let i = 0; i < 20; i++) y = tf.matMul(y, x);
        return tf.mean(y);
      });
    await record(step).data();
    let ticks = 0;
    const timer = setInterval(() => ticks++, 1);
    const mean = record(step);
    const reading = mean.data();
    mean.dispose();
    expect((await reading)[0]).toBeCloseTo(1 / 1500, 6);
    clearInterval(timer);
    expect(ticks).toBeGreaterThan(10);
  });

  test('steps that overwrite nothing run beside others, with the state that there was when they were recorded', () => {
    const w = tf.variable(tf.fill([400, 400], 1));
    const read = (): tf.Tensor =>
      record(() => tf.tidy(() => tf.mean(tf.matMul(w as unknown as tf.Tensor2D, w))));
    const change = (): void => {
      record(() => {
        w.assign(tf.tidy(() => tf.add(w, 1)));
      });
    };
    const means = Array.from({ length: 12 }, () => {
      const before = [read(), read(), read()];
      change();
      return before;
    });
    means.forEach((before, i) => {
      for (const mean of before) close(mean, tf.scalar(400 * (i + 1) ** 2), 1e-3);
    });
    close(w, tf.fill([400, 400], 13));
    expect(backend.recorder.report()).toMatchObject({ compiled: true, compilations: 2, executions: 48 });
  });
});
