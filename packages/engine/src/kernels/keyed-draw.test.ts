import {
  bernoulliParameters,
  drawOnHost,
  foldIn,
  normalParameters,
  randomBernoulli,
  randomNormal,
  randomUniform,
  seedKey,
  uniformParameters,
  type Key,
} from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { runKernel } from '../compile/graph-operations.js';
import { findLibrary, startNative } from '../native-fixture.js';
import { TF_ATTR_SHAPE, TF_ATTR_STRING, TF_INT32 } from '../recording/data-types.js';
import type { NativeBackend } from '../libtensorflow/index.js';
import { keyedDraw } from './keyed-draw.js';

const paths = await findLibrary();

const draws: [
  string,
  (shape: number[], key: Key) => tf.Tensor,
  (shape: number[], key: Key) => Float32Array,
][] = [
  [
    'normal 1e-5',
    (shape, key) => randomNormal(shape, key, 1e-5),
    (shape, key) => drawOnHost('normal', shape, key, normalParameters(1e-5)),
  ],
  [
    'normal 0.3',
    (shape, key) => randomNormal(shape, key, 0.3),
    (shape, key) => drawOnHost('normal', shape, key, normalParameters(0.3)),
  ],
  [
    'uniform around 0',
    (shape, key) => randomUniform(shape, key, -1e-5, 1e-5),
    (shape, key) => drawOnHost('uniform', shape, key, uniformParameters(-1e-5, 1e-5)),
  ],
  [
    'uniform elsewhere',
    (shape, key) => randomUniform(shape, key, 0.1, 3),
    (shape, key) => drawOnHost('uniform', shape, key, uniformParameters(0.1, 3)),
  ],
  [
    'bernoulli',
    (shape, key) => randomBernoulli(shape, key, 0.9),
    (shape, key) => drawOnHost('bernoulli', shape, key, bernoulliParameters(0.9)),
  ],
];

describe.skipIf(paths === undefined)('the native engine draws the bits of the host', () => {
  let backend: NativeBackend;

  beforeAll(async () => {
    backend = await startNative(paths!);
  });

  const shapes = [
    [64, 16, 384],
    [3, 5],
    [7],
    [1],
    [],
    [0, 2],
    [5, 3, 4, 6],
    [3, 70_000, 2],
    [2, 2, 3, 70_000],
  ];
  test.each(draws.flatMap((draw) => shapes.map((shape) => [draw[0], shape, draw[1], draw[2]] as const)))(
    '%s, [%j]: in eager mode and in a compiled step',
    (name, shape, draw, onHost) => {
      const key = foldIn(seedKey(7), name, ...shape);
      const eager = draw(shape, key);
      const [sum, compiled] = backend.recorder.record((): [tf.Tensor, tf.Tensor] => {
        const inside = draw(shape, key);
        return [tf.add(inside, 1), inside];
      });
      expect(eager.shape).toEqual(shape);
      expectSameBits(eager, onHost(shape, key));
      expectSameBits(compiled, onHost(shape, key));
      tf.dispose([eager, sum, compiled]);
      expect(tf.memory().numTensors).toBe(0);
    },
  );

  test('operation by operation', () => {
    const key: Key = [0xdeadbeef, 0x80000001];
    const { offset, width, scale } = uniformParameters(-2, 5);
    const parameters = new Int32Array(5);
    parameters.set([key[0], key[1], offset, width]);
    new Float32Array(parameters.buffer)[4] = scale;
    const { runtime } = backend.binding;
    const input = runtime.fromHost(TF_INT32, [5], parameters);
    const attributes = [
      { name: 'distribution', type: TF_ATTR_STRING, value: 'uniform' },
      { name: 'shape', type: TF_ATTR_SHAPE, value: [999] },
    ];
    const before = runtime.handles;
    const [draw] = runKernel(runtime, keyedDraw, [input], attributes);
    expect(runtime.read(draw!)).toEqual(drawOnHost('uniform', [999], key, { offset, width, scale }));
    runtime.release(draw!);
    runtime.release(input);
    expect(runtime.handles).toBeLessThanOrEqual(before);
  });

  test('another key, deviation or bound does not recompile', () => {
    const step = (index: number): number => {
      const result = backend.recorder.record(() => {
        const noise = randomNormal([50, 7], foldIn(seedKey(1), index), 1e-5 * index);
        return tf.add(tf.add(noise, randomUniform([50, 7], seedKey(index), -index, index)), 1);
      });
      const first = result.dataSync<'float32'>()[0]!;
      result.dispose();
      return first;
    };
    const before = backend.recorder.report().compilations;
    expect(new Set([1, 2, 3, 4].map(step)).size).toBe(4);
    expect(backend.recorder.report().compilations).toBeLessThanOrEqual(before + 1);
  });
});

function expectSameBits(tensor: tf.Tensor, expected: Float32Array): void {
  const got = tensor.dataSync<'float32'>();
  expect(got.length).toBe(expected.length);
  const [a, b] = [new Int32Array(got.slice().buffer), new Int32Array(expected.slice().buffer)];
  expect(a.findIndex((word, i) => word !== b[i])).toBe(-1);
}
