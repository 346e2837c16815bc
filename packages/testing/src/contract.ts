import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { GRADIENT_STAGE, type MethodInfo, type Plugin, type Snapshot } from '@hypetune/core';
import { describe, expect, test } from 'vitest';
import { buildData, buildModel, type ModelName } from './models.js';
import { makeTrainer, train, type Trained, weightsOf } from './training.js';

/** A method under the contract. */
export interface ContractEntry {
  /** The method's own name, or `name/variant`. */
  readonly name: string;
  readonly method: MethodInfo;
  /** A new plugin, strong enough to show in a few steps. */
  readonly create: () => Plugin;
  /** A new plugin at strength zero; undefined for a method that has no such strength. */
  readonly off?: (() => Plugin) | undefined;
  /** The models that it acts on, the first for what one shows. */
  readonly models: readonly ModelName[];
  /** The folder whose README.md is the method's card; without it there is none to check. */
  readonly folder?: string | URL | undefined;
}

/** A run of two hundred steps takes longer than Vitest's five seconds where the machine is slow or does other work. */
const patience = { timeout: 60_000 };

/** What is no value of any option that data can hold. */
const NONSENSE = Symbol('nonsense');

/** What a method's card has beside its options. */
const CARD = ['**Claim', '**Equation', '## Options', '## Differences from the source', '## Citation'];

/**
 * Declares, in Vitest, the tests that every method passes: strength zero is plain training to the last bit, the same seed gives the
 * same run, no tensor is left behind even when something throws, evaluation is untouched, a resumed run equals an unbroken one, wrong options
 * are refused by name.
 */
export function describeContract(entries: readonly ContractEntry[]): void {
  /** A plugin and a model it acts on. */
  const cases = entries.flatMap((entry) => entry.models.map((model) => ({ ...entry, model })));
  /** A plugin and the first of its models. */
  const once = entries.map((entry) => ({ ...entry, model: entry.models[0]! }));

  describe.each(cases)('$name on $model', patience, ({ create, off, model }) => {
    test.skipIf(!off)('at strength zero the run is the plain one, to the last bit', async () => {
      const { losses, weights, logits } = await train(model, [off!()]);
      expect({ losses, weights, logits }).toEqual(await plain(model));
    });

    test('at an ordinary strength it changes the run, the same way at every repetition', async () => {
      const first = await train(model, [create()]);
      const { losses, weights } = await plain(model);
      expect({ losses: first.losses, weights: first.weights }).not.toEqual({ losses, weights });
      expect(first.losses.every(Number.isFinite)).toBe(true);
      const second = await train(model, [create()]);
      expect(second).toEqual(first);
    });
  });

  describe.each(once)('$name', patience, ({ name, create, model, models, method, folder }) => {
    test('another seed gives another run', async () => {
      const first = await train(model, [create()], { seed: 1 });
      const second = await train(model, [create()], { seed: 2 });
      expect(second.losses).not.toEqual(first.losses);
    });

    test('leaves evaluation and the model outside of fit alone', async () => {
      const built = buildModel(model);
      const { data, dispose } = buildData(model);
      const before = weightsOf(built);
      const plainLogits = await makeTrainer(built, []).predict(data);
      const trainer = makeTrainer(built, [create()]);
      expect(await trainer.predict(data)).toEqual(plainLogits);
      expect(weightsOf(built)).toEqual(before);
      await trainer.fit(data);
      expect(await trainer.predict(data)).toEqual(await makeTrainer(built, []).predict(data));
      dispose();
      built.dispose();
    });

    test('hands on a gradient of its own shape for every trained parameter', async () => {
      const built = buildModel(model);
      const { data, dispose } = buildData(model);
      const trainer = makeTrainer(built, [create()], { steps: 1 });
      let shapes: Record<string, readonly number[]> = {};
      let trained: string[] = [];
      trainer.hooks.afterBackward.tap({ name: 'early', stage: GRADIENT_STAGE.UNSCALE }, (gradients) => {
        trained = Object.keys(gradients);
        return gradients;
      });
      trainer.hooks.afterBackward.tap({ name: 'late', stage: GRADIENT_STAGE.RECORD }, (gradients) => {
        shapes = Object.fromEntries(Object.entries(gradients).map(([key, { shape }]) => [key, shape]));
        return gradients;
      });
      await trainer.fit(data);
      expect(Object.keys(shapes)).toEqual(trained);
      dispose();
      built.dispose();
    });

    test('leaks no tensor over 200 steps', async () => {
      const smallest = models.includes('features') ? 'features' : model;
      const small = buildModel(smallest);
      const { data, dispose } = buildData(smallest);
      const trainer = makeTrainer(small, [create()], { steps: 200 });
      const seen: number[] = [];
      trainer.hooks.onStep.tap('test', () => seen.push(tf.memory().numTensors));
      const before = tf.memory().numTensors;
      await trainer.fit(data);
      expect(tf.memory().numTensors).toBe(before);
      expect(new Set(seen.slice(1)).size).toBe(1);
      dispose();
      small.dispose();
    });

    test('leaks no tensor on its own model either, and trains again', async () => {
      const before = tf.memory().numTensors;
      const built = buildModel(model);
      const { data, dispose } = buildData(model);
      const trainer = makeTrainer(built, [create()]);
      const inFit = tf.memory().numTensors;
      for (let round = 0; round < 2; round++) {
        const { lastLoss } = await trainer.fit(data);
        expect(lastLoss).toSatisfy(Number.isFinite);
        expect(tf.memory().numTensors).toBe(inFit);
      }
      dispose();
      built.dispose();
      expect(tf.memory().numTensors).toBe(before);
    });

    test.each([
      'afterWeightRead',
      'afterLayerForward',
      'afterLoss',
      'afterBackward',
      'beforeUpdate',
    ] as const)('leaks nothing and leaves the model usable when a tap of %s throws', async (hook) => {
      const built = buildModel(model);
      const { data, dispose } = buildData(model);
      const trainer = makeTrainer(built, [create()]);
      const before = tf.memory().numTensors;
      let step = 0;
      trainer.hooks.onStep.tap('test', () => (step += 1));
      const failing = trainer.hooks[hook] as unknown as {
        tap: (options: object, f: (x: unknown) => unknown) => void;
      };
      failing.tap({ name: 'failing', stage: 1000 }, (value) => {
        if (step === 2) throw new Error('on purpose');
        return value;
      });
      await expect(trainer.fit(data)).rejects.toThrow('on purpose');
      expect(tf.memory().numTensors).toBe(before);
      await makeTrainer(built, [create()]).fit(data);
      expect(tf.memory().numTensors).toBe(before);
      dispose();
      built.dispose();
    });

    test('a run that was saved and restored equals an unbroken one, bit for bit', async () => {
      const options = { steps: 6, dropout: {} };
      let snapshot: Snapshot | undefined;
      const whole = await observed(
        model,
        create(),
        options,
        async (trainer) => (snapshot ??= await trainer.snapshot()),
      );
      const rest = await train(model, [create()], options, { resume: snapshot! });
      expect(rest.losses).toEqual(whole.losses.slice(-rest.losses.length));
      expect(rest.losses).toHaveLength(4);
      expect(rest.weights).toEqual(whole.weights);
    });

    test('a bad option is refused at construction, by name', () => {
      const base = create().name;
      expect(() => method.create({ nonsense: 1 })).toThrow(`${base}: unknown option 'nonsense'`);
      for (const [option, { type, choices }] of Object.entries(method.options)) {
        const bad = { number: NaN, integer: 0.5, boolean: 'yes' }[type as string] ?? NONSENSE;
        expect(() => method.create({ [option]: bad }), option).toThrow(`${base}: ${option} must be`);
        for (const choice of choices ?? []) expect(method.create({ [option]: choice }).name).toBe(base);
      }
    });

    test('has a name, a card that lists every option, and a place in explain()', () => {
      const built = buildModel(model);
      if (folder !== undefined) {
        const file = typeof folder === 'string' ? join(folder, 'README.md') : new URL('README.md', folder);
        const card = readFileSync(file, 'utf8');
        for (const part of CARD) expect(card).toContain(part);
        for (const option of Object.keys(method.options)) expect(card).toContain(`| \`${option}\` `);
      }
      const plugin = create();
      expect(name.split('/')[0]).toBe(plugin.name);
      expect(method.summary.length).toBeGreaterThan(20);
      expect(makeTrainer(built, [plugin]).explain()).toContain(plugin.name);
      built.dispose();
    });
  });
}

const vanilla = new Map<ModelName, Promise<Omit<Trained, 'warnings'>>>();

/** Plain training, once a model. */
function plain(model: ModelName): Promise<Omit<Trained, 'warnings'>> {
  const known = vanilla.get(model);
  if (known) return known;
  const trained = train(model, []).then(({ losses, weights, logits }) => ({ losses, weights, logits }));
  vanilla.set(model, trained);
  return trained;
}

async function observed(
  name: ModelName,
  plugin: Plugin,
  options: Parameters<typeof train>[2],
  atEpoch: (trainer: ReturnType<typeof makeTrainer>) => Promise<unknown>,
): Promise<{ losses: number[]; weights: Record<string, number[]> }> {
  const model = buildModel(name);
  const { data, dispose } = buildData(name);
  const trainer = makeTrainer(model, [plugin], options);
  const losses: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    await atEpoch(trainer);
  });
  await trainer.fit(data);
  const weights = weightsOf(model);
  dispose();
  model.dispose();
  return { losses, weights };
}
