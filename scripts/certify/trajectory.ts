import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer } from '@hypetune/core';
import { loadModel, namedWeights } from '@hypetune/models';
import { expectedOf, FIXTURES, inputsOf } from '../../test/parity/families.js';
import { type Certificate, type Comparison, largest, relativeDifference } from './certificate.js';
import { inWay, waysHere } from './ways.js';

/** What `test/parity/make_trajectory_fixture.py` stored of a model. */
interface Trajectory {
  readonly losses: number[];
  readonly logits: number[][];
  /** The norm and the first entries of each weight in the end, but of those that rounding alone moves (biases of keys). */
  readonly weights: Readonly<Record<string, number[]>>;
}

const FILE = new URL('../../test/fixtures/trajectories.json', import.meta.url);

/** Thirty updates of each family against PyTorch. */
export const trajectory: Certificate = {
  name: 'trajectory',
  summary:
    '30 updates of AdamW (warm-up, decay, clipping) of one model of each type against torch.optim.AdamW on transformers’ model: every loss, the logits in the end, and the norm and first entries of every weight, on every engine here.',
  compare: async () => {
    const stored = JSON.parse(readFileSync(FILE, 'utf8')) as Readonly<Record<string, Trajectory>>;
    const found = new Map<string, number[]>();
    for (const way of await waysHere())
      await inWay(way, async () => {
        for (const [name, wanted] of Object.entries(stored)) {
          const seen = await follow(FIXTURES.get(name)!, wanted, way.compile);
          for (const [kind, difference] of Object.entries(seen)) {
            const key = `${name}, ${kind}`;
            found.set(key, [...(found.get(key) ?? []), difference]);
          }
        }
      });
    return [...found].map(([name, differences]): Comparison => ({
      name,
      difference: largest(differences),
      tolerance: 1e-3,
    }));
  },
};

async function follow(
  folder: string,
  wanted: Trajectory,
  compile: boolean,
): Promise<Record<'losses' | 'logits' | 'weights', number>> {
  const expected = expectedOf(folder);
  const { model } = await loadModel(folder);
  const inputs = inputsOf(expected);
  const data = tensorData(inputs, expected.labels);
  const losses: number[] = [];
  const trainer = new Trainer({
    ...{ model, steps: wanted.losses.length, batchSize: data.size, compile, clipNorm: 1 },
    dropout: { hidden: 0, attention: 0 },
    ...(model.outputs[0]!.shape.at(-1) === 1 && { task: 'regression' as const }),
    optimizer: { learningRate: 1e-3, weightDecay: 0.01, epsilonMode: 'torch' },
    schedule: { warmup: 3, decay: 'linear' },
  });
  trainer.hooks.onStep.tap('certify', ({ loss }) => losses.push(loss));
  await trainer.fit(data);
  const logits = (await trainer.predict(data)).flatMap((row) => [...row]);
  const compared = namedWeights(model).filter(({ name }) => Object.hasOwn(wanted.weights, name));
  const weights = compared.map(({ name, kind, variable }) => {
    const values = tf.tidy(() => {
      const value = variable.read();
      return Array.from((kind === 'linear' ? tf.transpose(value) : value).dataSync());
    });
    const norm = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0));
    return relativeDifference([norm, ...values.slice(0, 4)], wanted.weights[name]!);
  });
  tf.dispose(inputs);
  model.dispose();
  return {
    losses: relativeDifference(losses, wanted.losses),
    logits: relativeDifference(logits, wanted.logits.flat()),
    weights: largest(weights),
  };
}
