import '@tensorflow/tfjs-backend-cpu';
import {
  input,
  layers,
  model,
  sequential,
  type LayersModel,
  type Sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { listParameters } from './parameters.js';
import { inputNames, layerSites, tokenTable } from './sites.js';

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

test('of several tables the one that the first input enters looks the tokens up, whatever their order and nesting', () => {
  const table = (name: string): ReturnType<typeof layers.embedding> =>
    layers.embedding({ inputDim: 9, outputDim: 3, name });
  const twoTables = (): LayersModel => {
    const [ids, places] = [input({ shape: [2] }), input({ shape: [2] })];
    const [tokens, positions] = [table('tokens').apply(ids), table('positions').apply(places)];
    const added = layers.add().apply([positions, tokens] as SymbolicTensor[]);
    return model({ inputs: [ids, places], outputs: added as SymbolicTensor });
  };
  expect(tokenTable(twoTables())!.name).toBe('tokens');
  const outer = [input({ shape: [2] }), input({ shape: [2] })];
  const around = model({ inputs: outer, outputs: twoTables().apply(outer) as SymbolicTensor });
  expect(tokenTable(around)!.name).toBe('tokens');
  const ids = input({ shape: [2] });
  const halved = layers.reLU().apply(ids) as SymbolicTensor;
  const one = model({ inputs: ids, outputs: table('only').apply(halved) as SymbolicTensor });
  expect(tokenTable(one)!.name).toBe('only');
  expect(tokenTable(nested())).toBeUndefined();
});

test('inputs have the names that they were given, however many models have such ones', () => {
  for (let built = 0; built < 2; built++) {
    const ids = input({ shape: [2], name: 'ids' });
    expect(inputNames(model({ inputs: ids, outputs: ids }))).toEqual(['ids']);
  }
  expect(inputNames(nested())).toHaveLength(1);
});
