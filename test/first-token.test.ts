import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, type SiteDeclaration } from '@hypetune/core';
import { loadModel, namedWeights } from '@hypetune/models';
import { beforeAll, describe, expect, test } from 'vitest';
import { dropoutsOf, expectedOf, FIXTURES, inputsOf } from './parity/families.js';
import { makeTrainer } from './support/training.js';

beforeAll(() => tf.setBackend('cpu'));

type Hook = 'afterLayerForward' | 'afterAttention' | 'afterAttentionScores';

/** Two updates with every dropout on, the hidden states being seen by a tap or not, and how many tokens the head was given. */
async function run(
  name: string,
  hook?: Hook,
): Promise<{ losses: number[]; weights: number[]; tokens: number[] }> {
  const folder = FIXTURES.get(name)!;
  const expected = expectedOf(folder);
  const { model } = await loadModel(folder, { config: { ...dropoutsOf(folder) } });
  const tokens: number[] = [];
  const head = (model.layers as (tf.serialization.Serializable & SiteDeclaration & { call: Call })[]).find(
    ({ hypetune }) => hypetune?.site === 'pooler' || hypetune?.site === 'head',
  )!;
  const call = head.call.bind(head);
  head.call = (inputs, options) => {
    tokens.push([inputs].flat()[0]!.shape[1]!);
    return call(inputs, options);
  };
  const inputs = inputsOf(expected);
  const trainer = makeTrainer(model, [], {
    ...{ batchSize: 3, steps: 2, compile: false },
    // A gradient that is rounding alone, a key's bias has one, moves nothing.
    optimizer: { learningRate: 0.01, epsilon: 1e-3 },
  });
  const losses: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  if (hook) trainer.hooks[hook].tap('test', (x) => x);
  await trainer.fit(
    tensorData(
      inputs,
      expected.labels.map((_, row) => row % 2),
    ),
  );
  const weights = namedWeights(model).flatMap(({ variable }) => Array.from(variable.read().dataSync()));
  tf.dispose(inputs);
  model.dispose();
  return { losses, weights, tokens };
}

type Call = (inputs: tf.Tensor | tf.Tensor[], options: Record<string, unknown>) => tf.Tensor;

function expectClose(found: readonly number[], wanted: readonly number[]): void {
  const furthest = Math.max(...found.map((value, place) => Math.abs(value - wanted[place]!)));
  expect(furthest).toBeLessThan(1e-5);
}

describe('where the head reads the first token, the last layer computes no other', () => {
  test.each([
    'bert',
    'electra',
    'roberta',
    'xlm-roberta',
    'camembert',
    'distilbert',
    'mpnet',
    'albert',
    'albert-inner',
    'modernbert',
    'eurobert-bos',
    'deberta',
    'deberta-v3',
  ])('%s: draws, losses and weights are those of all tokens', async (name) => {
    const first = await run(name);
    expect(new Set(first.tokens)).toEqual(new Set([1]));
    const whole = await run(name, 'afterLayerForward');
    expect(Math.min(...whole.tokens)).toBeGreaterThan(1);
    expectClose(first.losses, whole.losses);
    expectClose(first.weights, whole.weights);
  });

  test.each(['afterAttention', 'afterAttentionScores'] as const)(
    'a tap of %s sees all tokens',
    async (hook) => {
      expect(Math.min(...(await run('bert', hook)).tokens)).toBeGreaterThan(1);
    },
  );

  test.each(['modernbert-mean', 'eurobert-mean', 'eurobert', 'xlnet'])(
    '%s reads others too: they are computed',
    async (name) => {
      expect(Math.min(...(await run(name)).tokens)).toBeGreaterThan(1);
    },
  );
});
