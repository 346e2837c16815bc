import '@tensorflow/tfjs-backend-cpu';
import { input, layers, model, sequential, type Sequential } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { listParameters } from './parameters.js';
import { inputNames, layerSites } from './sites.js';

function nested(): Sequential {
  const inner = sequential({
    layers: [layers.dense({ units: 3, inputShape: [2] }), layers.dense({ units: 3 })],
  });
  return sequential({ layers: [inner, layers.dense({ units: 2, name: 'given' })] });
}

test('parameters of models built one after the other have the same names', () => {
  const names = (): string[] => listParameters(nested()).map(({ name }) => name);
  const first = names();
  expect(names()).toEqual(first);
  expect(first).toEqual([
    'sequential_1/dense_Dense1.kernel',
    'sequential_1/dense_Dense1.bias',
    'sequential_1/dense_Dense2.kernel',
    'sequential_1/dense_Dense2.bias',
    'given.kernel',
    'given.bias',
  ]);
});

test('paths are those of the layers themselves, and the last layer with weights is the head', () => {
  const model = nested();
  const sites = layerSites(model);
  expect(sites.map(({ path }) => path.split('/').at(-1))).toEqual(sites.map(({ layer }) => layer.name));
  expect(sites.map(({ site }) => site)).toEqual(['hidden', 'hidden', 'head']);
});

test('inputs have the names that they were given, however many models have such ones', () => {
  for (let built = 0; built < 2; built++) {
    const ids = input({ shape: [2], name: 'ids' });
    expect(inputNames(model({ inputs: ids, outputs: ids }))).toEqual(['ids']);
  }
  expect(inputNames(nested())).toHaveLength(1);
});
