import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Trainer, type FitOptions, type Plugin, type TrainerOptions } from '@hypetune/core';
import { buildData, buildModel, type ModelName } from './models.js';

/** What a short run left behind. */
export interface Trained {
  readonly losses: readonly number[];
  /** Values of every weight, by name. */
  readonly weights: Readonly<Record<string, number[]>>;
  /** Logits of the training rows, in evaluation. */
  readonly logits: readonly number[][];
  readonly warnings: readonly string[];
}

/** A trainer with settings under which a few steps show what a plugin does. */
export function makeTrainer(
  model: LayersModel,
  plugins: readonly Plugin[],
  options: Partial<TrainerOptions> = {},
): Trainer {
  return new Trainer({
    model,
    plugins,
    batchSize: 4,
    steps: 4,
    seed: 5,
    lengthMultiple: 1,
    optimizer: { learningRate: 0.01 },
    schedule: { warmup: 0, decay: 'constant' },
    onWarning: () => undefined,
    ...options,
  });
}

/** Builds a model, trains it for a few steps, and frees it. */
export async function train(
  name: ModelName,
  plugins: readonly Plugin[],
  options: Partial<TrainerOptions> = {},
  fit: FitOptions = {},
): Promise<Trained> {
  const model = buildModel(name);
  const { data, dispose } = buildData(name);
  const losses: number[] = [];
  const warnings: string[] = [];
  try {
    const trainer = makeTrainer(model, plugins, { onWarning: (line) => warnings.push(line), ...options });
    trainer.hooks.onStep.tap('test', ({ loss }) => {
      losses.push(loss);
    });
    await trainer.fit(data, fit);
    const logits = (await trainer.predict(data)).map((row) => Array.from(row));
    return { losses, weights: weightsOf(model), logits, warnings };
  } finally {
    dispose();
    model.dispose();
  }
}

/** Values of every weight, by place and local name. */
export function weightsOf(model: LayersModel): Record<string, number[]> {
  return Object.fromEntries(
    model.weights.map((weight, place) => [
      `${place} ${weight.originalName.replace(/^.*\//, '')}`,
      tf.tidy(() => Array.from(weight.read().dataSync())),
    ]),
  );
}
