import '@tensorflow/tfjs-backend-cpu';
import { appendFileSync, readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  GRADIENT_STAGE,
  tensorData,
  Trainer,
  type Batch,
  type Plugin,
  type TrainerOptions,
} from '@hypetune/core';
import { expect } from 'vitest';

/** Nested lists of numbers, as fixtures store tensors. */
export type Nested = number | readonly Nested[];
export type Tensors = Readonly<Record<string, Nested>>;

/** A fixture that `make_fixtures.py` made. */
export function fixture<T>(name: string): T {
  return JSON.parse(readFileSync(new URL(`../fixtures/${name}.json`, import.meta.url), 'utf8')) as T;
}

export const tensor = (values: Nested): tf.Tensor => tf.tensor(values as number[]);

/** Draws that take the place of keyed ones, in the order they are asked for. */
export const injected: tf.Tensor[] = [];

/** The next injected draw. */
export function nextDraw(shape: readonly number[]): tf.Tensor {
  const draw = injected.shift();
  expect(draw?.shape).toEqual(shape);
  return draw!;
}

/** Equal within the rounding of float32. */
export function expectClose(actual: tf.Tensor, wanted: Nested, tolerance = 1e-5): void {
  const expected = tensor(wanted);
  expect(actual.shape).toEqual(expected.shape);
  const [got, values] = [actual.dataSync(), expected.dataSync()];
  const largest = Math.max(...values.map(Math.abs));
  note(got, values, largest + 1, tolerance);
  for (const [i, value] of values.entries())
    expect(Math.abs(got[i]! - value), `entry ${i}: ${got[i]} for ${value}`).toBeLessThan(
      tolerance * (largest + 1),
    );
}

/** For `npm run certify`: the largest difference of a comparison, a line each in the file that HYPETUNE_CERTIFY names. */
function note(got: tf.TypedArray, wanted: tf.TypedArray, size: number, tolerance: number): void {
  const file = process.env['HYPETUNE_CERTIFY'];
  if (file === undefined) return;
  const difference =
    Array.from(wanted).reduce((most, value, i) => Math.max(most, Math.abs(got[i]! - value)), 0) / size;
  const test = expect.getState().currentTestName;
  appendFileSync(file, `${JSON.stringify({ test, difference, tolerance })}\n`);
}

export interface Seen {
  readonly loss: number;
  readonly terms: Readonly<Record<string, number>>;
  readonly gradients: Readonly<Record<string, tf.Tensor>>;
}

/** One step on exactly this batch: the terms of the loss, and the gradients before any clipping. */
export async function oneStep(
  model: LayersModel,
  plugins: Plugin[],
  { inputs, labels }: Pick<Batch, 'inputs' | 'labels'>,
  options: Partial<TrainerOptions> = {},
): Promise<Seen> {
  const seen = { loss: NaN, terms: {}, gradients: {} as Record<string, tf.Tensor> };
  const rows = labels.shape[0];
  const spy: Plugin = {
    name: 'spy',
    apply({ hooks }) {
      hooks.beforeBatch.tap('spy', (batch) => ({ ...batch, inputs, labels }));
      hooks.afterBackward.tap({ name: 'spy', stage: GRADIENT_STAGE.RECORD }, (gradients) => {
        for (const [name, gradient] of Object.entries(gradients))
          seen.gradients[name] = tf.keep(tf.clone(gradient));
        return gradients;
      });
      hooks.onStep.tap('spy', ({ loss, terms }) => Object.assign(seen, { loss, terms }));
    },
  };
  const trainer = new Trainer({
    model,
    plugins: [...plugins, spy],
    steps: 1,
    batchSize: rows,
    clipNorm: 0,
    ...options,
  });
  await trainer.fit(tensorData([...inputs], new Array<number>(rows).fill(0)));
  return seen;
}
