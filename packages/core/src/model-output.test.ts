import '@tensorflow/tfjs-backend-cpu';
import { input as tfInput, layers, model, sequential, type SymbolicTensor } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { outputOf } from './model-output.js';

test('what a model ends in: its shape, and a softmax or sigmoid as activation or as a layer', () => {
  const end = (...last: layers.Layer[]): ReturnType<typeof outputOf> =>
    outputOf(sequential({ layers: [layers.inputLayer({ inputShape: [null, 4] }), ...last] }));
  expect(end(layers.dense({ units: 3 }))).toEqual({ shape: [null, null, 3], units: 3, ending: undefined });
  expect(end(layers.dense({ units: 3, activation: 'softmax' })).ending).toBe('softmax');
  expect(end(layers.dense({ units: 3, activation: 'sigmoid' })).ending).toBe('sigmoid');
  expect(end(layers.dense({ units: 3, activation: 'tanh' })).ending).toBeUndefined();
  expect(end(layers.dense({ units: 3 }), layers.softmax({ axis: -1 })).ending).toBe('softmax');
  expect(end(layers.dense({ units: 3 }), layers.activation({ activation: 'sigmoid' })).ending).toBe(
    'sigmoid',
  );
});

test('through what leaves values as they are: wrappers, reshapes, nested models, parts joined', () => {
  const { dense, timeDistributed, reshape, concatenate, activation, dropout, flatten } = layers;
  const softmax = (): layers.Layer => dense({ units: 3, activation: 'softmax' });
  const ending = (...last: layers.Layer[]): ReturnType<typeof outputOf>['ending'] =>
    outputOf(sequential({ layers: [layers.inputLayer({ inputShape: [5, 4] }), ...last] })).ending;
  expect(ending(timeDistributed({ layer: softmax() }))).toBe('softmax');
  expect(ending(dense({ units: 3 }), timeDistributed({ layer: activation({ activation: 'softmax' }) }))).toBe(
    'softmax',
  );
  expect(ending(softmax(), reshape({ targetShape: [1, 5, 3] }), dropout({ rate: 0.1 }))).toBe('softmax');
  expect(ending(softmax(), activation({ activation: 'linear' }))).toBe('softmax');
  expect(ending(softmax(), layers.globalAveragePooling1d({}))).toBe('softmax');
  // Five softmaxes of three are none of fifteen.
  expect(ending(softmax(), flatten())).toBe('mixed');
  expect(ending(softmax(), layers.permute({ dims: [2, 1] }))).toBe('mixed');
  expect(ending(softmax(), activation({ activation: 'relu' }))).toBeUndefined();

  const input = (): SymbolicTensor => tfInput({ shape: [4] });
  const sigmoid = (x: SymbolicTensor): SymbolicTensor =>
    dense({ units: 1, activation: 'sigmoid' }).apply(x) as SymbolicTensor;
  const joined = (ends: (x: SymbolicTensor) => SymbolicTensor[]): ReturnType<typeof outputOf>['ending'] => {
    const x = input();
    return outputOf(model({ inputs: x, outputs: concatenate().apply(ends(x)) as SymbolicTensor })).ending;
  };
  const linear = (x: SymbolicTensor): SymbolicTensor => dense({ units: 1 }).apply(x) as SymbolicTensor;
  expect(joined((x) => [sigmoid(x), sigmoid(x)])).toBe('sigmoid');
  expect(joined((x) => [linear(x), linear(x)])).toBeUndefined();
  expect(joined((x) => [sigmoid(x), linear(x)])).toBe('mixed');
  const twice = (x: SymbolicTensor): SymbolicTensor => softmax().apply(x) as SymbolicTensor;
  expect(joined((x) => [twice(x), twice(x)])).toBe('mixed');
  const ensemble = input();
  const both = layers.average().apply([twice(ensemble), twice(ensemble)]) as SymbolicTensor;
  expect(outputOf(model({ inputs: ensemble, outputs: both })).ending).toBe('softmax');
  const rows = tfInput({ shape: [5, 4] });
  const beside = concatenate({ axis: 1 }).apply([twice(rows), twice(rows)]) as SymbolicTensor;
  expect(outputOf(model({ inputs: rows, outputs: beside })).ending).toBe('softmax');

  // A nested model that only reshapes lets the end before it through; one in a time-distributed wrapper is that of its own end.
  const reshaping = sequential({ layers: [reshape({ targetShape: [1, 3], inputShape: [3] })] });
  const before = input();
  const after = reshaping.apply(twice(before)) as SymbolicTensor;
  expect(outputOf(model({ inputs: before, outputs: after })).ending).toBe('softmax');
  const ended = sequential({ layers: [dense({ units: 3, activation: 'sigmoid', inputShape: [4] })] });
  expect(ending(timeDistributed({ layer: ended }))).toBe('sigmoid');
  expect(ending(ended, flatten())).toBe('sigmoid');
});

test('of a model of several outputs its first is meant', () => {
  const x = tfInput({ shape: [4] });
  const [logits, other] = [
    layers.dense({ units: 3 }).apply(x),
    layers.dense({ units: 2, activation: 'softmax' }).apply(x),
  ];
  const both = model({ inputs: x, outputs: [logits, other] as SymbolicTensor[] });
  expect(outputOf(both).ending).toBeUndefined();
});
