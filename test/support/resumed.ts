import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Plugin, Snapshot, TrainerOptions } from '@hypetune/core';
import { buildData, buildModel, type ModelName } from './models.js';
import { makeTrainer, train, weightsOf } from './training.js';

/** Expects of a run of six steps that it equals one resumed after two, that it equals itself, and that it leaves no tensor. */
export async function expectResumable(
  name: ModelName,
  create: () => Plugin[],
  given: Partial<TrainerOptions> = {},
): Promise<void> {
  const options = { steps: 6, ...given };
  const before = tf.memory().numTensors;
  const model = buildModel(name);
  const { data, dispose } = buildData(name);
  const trainer = makeTrainer(model, create(), options);
  const losses: number[] = [];
  let snapshot: Snapshot | undefined;
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    snapshot ??= await trainer.snapshot();
  });
  await trainer.fit(data);
  const weights = weightsOf(model);
  dispose();
  model.dispose();
  const rest = await train(name, create(), options, { resume: snapshot! });
  expect(rest.losses).toEqual(losses.slice(2));
  expect(rest.weights).toEqual(weights);
  const again = await train(name, create(), options);
  expect({ losses: again.losses, weights: again.weights }).toEqual({ losses, weights });
  expect(tf.memory().numTensors).toBe(before);
}
