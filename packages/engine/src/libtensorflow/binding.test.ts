import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { countAll, findLibrary, startNative } from '../native-fixture.js';
import type { Binding } from '../recording/binding.js';
import type { NativeBackend } from './index.js';

const paths = await findLibrary();

describe.skipIf(paths === undefined)('the binding', () => {
  let backend: NativeBackend;
  let b: Binding;

  beforeAll(async () => {
    backend = await startNative(paths!);
    b = backend.binding;
  });

  /** Runs an operation on arrays and reads its outputs. */
  function run(
    name: string,
    attributes: Parameters<Binding['executeOp']>[1],
    inputs: [number, number[], ArrayLike<number>][],
    outputs = 1,
  ): unknown[] {
    const ids = inputs.map(([dtype, shape, values]) =>
      b.createTensor(
        shape,
        dtype,
        dtype === b.TF_FLOAT ? Float32Array.from(values) : Int32Array.from(values),
      ),
    );
    const results = b.executeOp(name, attributes, ids, outputs);
    const values = results.map(({ id, shape, dtype }) => ({
      shape,
      dtype,
      values: [...(b.tensorDataSync(id) as Float32Array)],
    }));
    for (const id of [...ids, ...results.map((result) => result.id)]) b.deleteTensor(id);
    return values;
  }

  test('runs operations with every kind of attribute', () => {
    const before = countAll(backend);
    const { TF_FLOAT: float, TF_INT32: int } = b;
    expect(
      run(
        'Fill',
        [],
        [
          [int, [2], [2, 2]],
          [float, [], [7]],
        ],
      ),
    ).toEqual([{ shape: [2, 2], dtype: float, values: [7, 7, 7, 7] }]);
    // int list, string
    const pool = [
      { name: 'ksize', type: b.TF_ATTR_INT, value: [1, 2, 2, 1] },
      { name: 'strides', type: b.TF_ATTR_INT, value: [1, 2, 2, 1] },
      { name: 'padding', type: b.TF_ATTR_STRING, value: 'VALID' },
    ];
    expect(run('MaxPool', pool, [[float, [1, 2, 2, 1], [1, 4, 3, 2]]])).toEqual([
      { shape: [1, 1, 1, 1], dtype: float, values: [4] },
    ]);
    // float, shape
    expect(
      run('LeakyRelu', [{ name: 'alpha', type: b.TF_ATTR_FLOAT, value: 0.5 }], [[float, [2], [-2, 2]]]),
    ).toEqual([{ shape: [2], dtype: float, values: [-1, 2] }]);
    const zeros = [
      { name: 'shape', type: b.TF_ATTR_SHAPE, value: [2] },
      { name: 'dtype', type: b.TF_ATTR_TYPE, value: float },
    ];
    expect(run('PlaceholderWithDefault', zeros, [[float, [2], [3, 4]]])).toEqual([
      { shape: [2], dtype: float, values: [3, 4] },
    ]);
    // float list, shape list, type list
    const buckets = [{ name: 'boundaries', type: b.TF_ATTR_FLOAT, value: [1, 2, 3] }];
    expect(run('Bucketize', buckets, [[float, [3], [0, 2.5, 9]]])).toEqual([
      { shape: [3], dtype: int, values: [0, 2, 3] },
    ]);
    // bool
    const product = [{ name: 'transpose_b', type: b.TF_ATTR_BOOL, value: true }];
    expect(
      run('MatMul', product, [
        [float, [1, 2], [1, 2]],
        [float, [1, 2], [3, 4]],
      ]),
    ).toEqual([{ shape: [1, 1], dtype: float, values: [11] }]);
    // several outputs
    expect(
      run(
        'TopKV2',
        [],
        [
          [float, [3], [5, 9, 7]],
          [int, [], [2]],
        ],
        2,
      ),
    ).toEqual([
      { shape: [2], dtype: float, values: [9, 7] },
      { shape: [2], dtype: int, values: [1, 2] },
    ]);
    expect(countAll(backend)).toEqual(before);
  });

  test('takes lists of types and of shapes', () => {
    const queue = b.executeOp(
      'FIFOQueueV2',
      [
        { name: 'component_types', type: b.TF_ATTR_TYPE, value: [b.TF_FLOAT, b.TF_INT32] },
        { name: 'shapes', type: b.TF_ATTR_SHAPE, value: [[2], []] },
        { name: 'shared_name', type: b.TF_ATTR_STRING, value: 'a queue' },
      ],
      [],
      1,
    )[0]!;
    expect(queue.dtype).toBe(b.TF_RESOURCE);
    b.deleteTensor(queue.id);
  });

  test('keeps strings of any length', () => {
    const texts = ['', 'a', 'a text of more than twenty-two bytes, so one that lies elsewhere', 'ü'];
    const before = countAll(backend);
    const tensor = tf.tensor1d(texts, 'string');
    expect(tensor.dataSync()).toEqual(texts);
    const joined = tf.concat([tensor, tensor]);
    expect(joined.dataSync()).toEqual([...texts, ...texts]);
    tf.dispose([tensor, joined]);
    expect(countAll(backend)).toEqual(before);
  });

  test('strings live on in what shares them', () => {
    const texts = [
      'a text of more than twenty-two bytes, so one that lies elsewhere',
      'another of such a length as well',
    ];
    const tensor = tf.tensor1d(texts, 'string');
    const column = tf.reshape(tensor, [2, 1]);
    tensor.dispose();
    expect(column.dataSync()).toEqual(texts);
  });

  test('keeps bool, complex and empty tensors', () => {
    expect([...tf.tensor1d([true, false], 'bool').dataSync()]).toEqual([1, 0]);
    expect([...tf.complex([1, 2], [3, 4]).dataSync()]).toEqual([1, 3, 2, 4]);
    expect(tf.add(tf.zeros([0, 3]), 1).shape).toEqual([0, 3]);
    expect([...tf.add(tf.zeros([0, 3]), 1).dataSync()]).toEqual([]);
  });

  test('says what is wrong with an operation, and goes on afterwards', () => {
    const x = tf.tensor1d([1, 2, 3]);
    const call = (name: string): unknown => b.executeOp(name, [], backend.getInputTensorIds([x]), 1);
    expect(() => call('NoSuchOperation')).toThrow(/NoSuchOperation/);
    expect(() => call('MatMul')).toThrow(/MatMul/);
    expect(() => b.tensorDataSync(987_654_321)).toThrow(/no tensor number 987654321/);
    expect(() => b.createTensor([2], b.TF_FLOAT, Float32Array.of(1))).not.toThrow();
    expect(() => tf.tidy(() => tf.reshape(tf.add(x, 1), [3, 1]))).not.toThrow();
  });

  test('frees handles as tensors are disposed', () => {
    const before = countAll(backend);
    tf.tidy(() => {
      let x: tf.Tensor = tf.ones([8, 8]);
      for (let i = 0; i < 100; i++) x = tf.tanh(tf.matMul(x as tf.Tensor2D, x as tf.Tensor2D));
      x.dataSync();
    });
    expect(countAll(backend)).toEqual(before);
  });

  test('copies what it is given', () => {
    const small = Float32Array.of(1, 2);
    const large = new Float32Array(100_000).fill(1);
    const tensors = [tf.tensor1d(small), tf.tensor1d(large)].map((tensor) => tf.add(tensor, 0));
    const ids = [small, large].map((values) => b.createTensor([values.length], b.TF_FLOAT, values));
    small.fill(9);
    large.fill(9);
    expect([...(b.tensorDataSync(ids[0]!) as Float32Array)]).toEqual([1, 2]);
    expect((b.tensorDataSync(ids[1]!) as Float32Array)[5]).toBe(1);
    tf.dispose(tensors);
    for (const id of ids) b.deleteTensor(id);
  });

  test('gives each reader values of its own', () => {
    const tensor = tf.tensor1d([1, 2, 3]);
    const id = backend.getInputTensorIds([tensor])[0]!;
    (b.tensorDataSync(id) as Float32Array)[0] = 100;
    expect(tf.add(tensor, 0).dataSync()[0]).toBe(1);
    expect((b.tensorDataSync(id) as Float32Array)[0]).toBe(1);
  });

  test('computes gradients through tfjs', () => {
    const gradient = tf.grad((x) => tf.sum(tf.square(tf.sigmoid(x))))(tf.tensor1d([0, 1]));
    const s = [0.5, 1 / (1 + Math.exp(-1))];
    s.forEach((value, i) => {
      expect(gradient.dataSync()[i]).toBeCloseTo(2 * value * value * (1 - value), 6);
    });
  });
});
