import '@tensorflow/tfjs-backend-cpu';
import { layers, sequential } from '@tensorflow/tfjs-layers';
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
