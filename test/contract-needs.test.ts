import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { childTuning } from '@hypetune/child-tuning';
import type { Plugin, TrainerOptions } from '@hypetune/core';
import { hiddenMixup } from '@hypetune/hidden-mixup';
import { hype } from '@hypetune/hype';
import { lnsr } from '@hypetune/lnsr';
import { mixout } from '@hypetune/mixout';
import { r3f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';
import { recadam } from '@hypetune/recadam';
import { reinit } from '@hypetune/reinit';
import { buildModel } from './support/models.js';
import { makeTrainer } from './support/training.js';

const headOnly = (): LayersModel => sequential({ layers: [layers.dense({ units: 2, inputShape: [4] })] });
const noDropout = (): LayersModel =>
  sequential({ layers: [layers.dense({ units: 3, inputShape: [4] }), layers.dense({ units: 2 })] });

function check(model: LayersModel, plugins: Plugin[], options: Partial<TrainerOptions> = {}): string[] {
  const warnings: string[] = [];
  try {
    makeTrainer(model, plugins, { ...options, onWarning: (line) => warnings.push(line) });
    return warnings;
  } finally {
    model.dispose();
  }
}

test.each([
  ['hype', () => hype({ topLayers: 3 }), 'hype: the layer subset needs layer 2;'],
  ['lnsr', () => lnsr({ layer: 2 }), "lnsr: layer must be one of the model's hidden layers, 0 to 1, got 2."],
  [
    'reinit',
    () => reinit({ layers: 3 }),
    "reinit: layers must be at most 2, the model's hidden layers, got 3.",
  ],
  [
    'hidden-mixup',
    () => hiddenMixup({ layers: [5] }),
    'hidden-mixup: layers must name hidden layers of the model, 0 to 1, got 5.',
  ],
])('%s refuses layers that the model has not', (_, create, message) => {
  expect(() => check(buildModel('bert'), [create()])).toThrow(message);
});

test.each([
  ['mixout', () => mixout(), 'mixout: the model has no pre-trained kernel to mix'],
  [
    'child-tuning',
    () => childTuning(),
    "child-tuning: mode D masks hidden layers and the model has none; use mode 'F'.",
  ],
])('%s refuses a model of a head alone', (_, create, message) => {
  expect(() => check(headOnly(), [create()])).toThrow(message);
});

test('r4f refuses a head without a kernel of two dimensions', () => {
  const model = sequential({
    layers: [
      layers.dense({ units: 8, inputShape: [8] }),
      layers.reshape({ targetShape: [8, 1] }),
      layers.conv1d({ filters: 1, kernelSize: 8 }),
      layers.flatten(),
    ],
  });
  expect(() => check(model, [r3f({ spectralNorm: true })], { task: 'regression' })).toThrow(
    'r3f: spectralNorm needs a model whose head has a kernel of two dimensions.',
  );
});

test('recadam refuses a pull that diverges and warns of one that overshoots', () => {
  const plugin = (): Plugin => recadam({ pull: 5000 });
  expect(() => check(buildModel('bert'), [plugin()], { optimizer: { learningRate: 5e-4 } })).toThrow(
    'recadam: pull times the learning rate must stay below 2, got 2.5;',
  );
  expect(check(buildModel('bert'), [plugin()], { optimizer: { learningRate: 3e-4 } })).toEqual([
    expect.stringContaining('above 1 each step overshoots'),
  ]);
  expect(check(buildModel('bert'), [plugin()], { optimizer: { learningRate: 2e-5 } })).toEqual([]);
});

test('methods that compare passes warn when nothing random parts them', () => {
  expect(check(noDropout(), [rDrop()])).toEqual([expect.stringContaining('r-drop: there is no dropout')]);
  expect(check(noDropout(), [r3f()])).toEqual([expect.stringContaining('r3f: without dropout')]);
  expect(check(buildModel('bert'), [r3f({ dropout: 'shared' })])).toEqual([
    expect.stringContaining('raise scale'),
  ]);
  expect(check(buildModel('bert'), [r3f(), hype()])).toEqual([]);
});

test('hype warns of noise that its floats cannot hold', () => {
  expect(check(buildModel('bert'), [hype({ scale: 1e-8 })])).toEqual([
    expect.stringContaining('hype: scale 1e-8'),
  ]);
});

test('two plugins that ask for different dropout are refused', () => {
  expect(() => check(buildModel('bert'), [hype({ hiddenDropout: 0 }), mixout({ dropout: 0.1 })])).toThrow(
    'hype sets hidden dropout to 0 and mixout to 0.1',
  );
  expect(check(buildModel('bert'), [hype({ hiddenDropout: 0 }), mixout({ dropout: 0 })])).toEqual([]);
});
