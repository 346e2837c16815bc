import { type Dataset, HypetuneError, type Plugin, type TrainerOptions } from '@hypetune/core';
import { namedWeights } from '@hypetune/models';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildModel } from '../../test/support/models.js';
import { tokenRows } from '../../test/support/token-rows.js';
import { makeTrainer } from '../../test/support/training.js';
import { relativeDifference } from './certificate.js';

/** How far each weight was moved by a run, and the losses of its steps. */
export interface Moved {
  readonly weights: readonly number[];
  readonly losses: readonly number[];
}

/**
 * Trains the small BERT of the tests. With a large epsilon AdamW does not blow up gradients that are nothing but rounding, as those
 * of the keys' biases.
 */
export async function moved(
  plugins: readonly Plugin[],
  options: Partial<TrainerOptions>,
  rows: Dataset = tokenRows(6),
): Promise<Moved> {
  const model = buildModel('bert');
  try {
    const before = weightsIn(model);
    const losses: number[] = [];
    const optimizer = { learningRate: 1e-2, epsilon: 1e-3 };
    const trainer = makeTrainer(model, plugins, { steps: 3, compile: false, optimizer, ...options });
    trainer.hooks.onStep.tap('certify', ({ loss }) => losses.push(loss));
    await trainer.fit(rows);
    const after = weightsIn(model);
    if (options.compile === true && trainer.compileReport()?.compiled !== true)
      throw new HypetuneError(`not compiled: ${trainer.compileReport()?.lastReason ?? 'no recorder'}`);
    return { weights: after.map((value, place) => value - before[place]!), losses };
  } finally {
    model.dispose();
  }
}

/** Values of all weights but the keys' biases, which move every score of a softmax alike: their gradient is rounding alone. */
function weightsIn(model: LayersModel): number[] {
  return namedWeights(model)
    .filter(({ name }) => !name.endsWith('attention.self.key.bias'))
    .flatMap(({ variable }) => tf.tidy(() => Array.from(variable.read().dataSync())));
}

/** How far two runs are apart, relative to how far the second went; a run that moves nothing is compared by its losses. */
export function apart(a: Moved, b: Moved): number {
  if (a.weights.length !== b.weights.length) return NaN;
  const weights = relativeDifference(a.weights, b.weights);
  const losses = relativeDifference(a.losses, b.losses);
  return weights <= losses ? losses : weights;
}
