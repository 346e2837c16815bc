import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, type Plugin, type Snapshot } from '@hypetune/core';
import { loadModel, namedWeights } from '@hypetune/models';
import { beforeAll, describe, expect, test } from 'vitest';
import { CERTIFIED_FAMILIES, type CertifiedFamily } from './certificate/families.js';
import { expectedOf, inputsOf } from './parity/families.js';
import { registry, type Entry } from './support/registry.js';
import { makeTrainer } from './support/training.js';

beforeAll(() => tf.setBackend('cpu'));

/** What a run of a family's small model left behind. */
interface Run {
  readonly losses: number[];
  readonly weights: Record<string, number[]>;
  /** Logits of the training rows by the trainer, and by a trainer that knows no method. */
  readonly logits: readonly [Float32Array[], Float32Array[]];
  readonly snapshot: Snapshot | undefined;
}

/** Four updates with every dropout on, two an epoch; nothing is left in memory. */
async function run(family: CertifiedFamily, create: () => Plugin[], resume?: Snapshot): Promise<Run> {
  const before = tf.memory().numTensors;
  const expected = expectedOf(family.folder);
  const { model } = await loadModel(family.folder, { config: { ...family.dropouts } });
  const inputs = inputsOf(expected);
  const data = tensorData(inputs, expected.labels);
  const losses: number[] = [];
  let snapshot: Snapshot | undefined;
  const trainer = makeTrainer(model, create(), { batchSize: 3, compile: false });
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    snapshot ??= await trainer.snapshot();
  });
  await trainer.fit(data, resume ? { resume } : {});
  const weights = Object.fromEntries(
    namedWeights(model).map(({ name, variable }) => [name, Array.from(variable.read().dataSync())]),
  );
  const logits = [await trainer.predict(data), await makeTrainer(model, []).predict(data)] as const;
  tf.dispose(inputs);
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  return { losses, weights, logits: logits as unknown as Run['logits'], snapshot };
}

/** Those that ask for nothing that a family lacks: how many layers there are, a teacher of the same classes. */
const anywhere = registry.filter(({ name }) => !/^(top-k|distillation)/.test(name));
/** One entry a plugin, and of the two that put an average in the weights' place the first. */
const ofOnePlugin = (entry: Entry, place: number): boolean =>
  anywhere.findIndex(({ name }) => name.split('/')[0] === entry.name.split('/')[0]) === place;
const off = anywhere
  .filter(ofOnePlugin)
  .filter(({ name }) => name !== 'swa')
  .flatMap((entry) => (entry.off ? [entry.off] : []));

/** One of each kind: weights, vectors, layers, attention, passes, gradients, updates, what is kept. */
const STACK = ['mixout', 'neftune', 'hype', 'layer-drop', 'drop-key', 'r3f', 'child-tuning/d', 'layer-decay', 'cautious', 'ema']; // prettier-ignore
const stack = STACK.map((name) => registry.find((entry) => entry.name === name)!);

describe.each(CERTIFIED_FAMILIES)('$name', (family) => {
  test('all methods at strength zero together are plain training, to the last bit', async () => {
    const plain = await run(family, () => []);
    const { losses, weights, logits } = await run(family, () => off.map((create) => create()));
    expect({ losses, weights, logits }).toEqual({
      losses: plain.losses,
      weights: plain.weights,
      logits: plain.logits,
    });
  });

  test('a stack of ten kinds of methods: the same when resumed, evaluation knows none of them', async () => {
    const create = (): Plugin[] => stack.map((entry) => entry.create());
    const whole = await run(family, create);
    expect(whole.losses.every(Number.isFinite)).toBe(true);
    expect(whole.logits[0]).toEqual(whole.logits[1]);
    const rest = await run(family, create, whole.snapshot);
    expect(rest.losses).toEqual(whole.losses.slice(2));
    expect(rest.weights).toEqual(whole.weights);
  });

  test.skipIf(!process.env['HYPETUNE_DEEP']).each(anywhere)(
    '$name changes the run, the same way at every repetition',
    async ({ create }) => {
      const [plain, first, second] = [
        await run(family, () => []),
        await run(family, () => [create()]),
        await run(family, () => [create()]),
      ];
      expect([first.losses, first.weights]).not.toEqual([plain.losses, plain.weights]);
      expect([second.losses, second.weights]).toEqual([first.losses, first.weights]);
    },
  );
});
