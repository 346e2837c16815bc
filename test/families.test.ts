import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { biDrop } from '@hypetune/bi-drop';
import { tensorData, type Plugin, type StepRecorder, type Trainer } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { layerDecay } from '@hypetune/layer-decay';
import { layerDrop } from '@hypetune/layer-drop';
import { buildModel, loadModel, modelConfig, namedWeights } from '@hypetune/models';
import { r3f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';
import { reinit } from '@hypetune/reinit';
import { topK } from '@hypetune/top-k';
import { beforeEach, describe, expect, test } from 'vitest';
import { dropoutsOf, expectedOf, FIXTURES, inputsOf } from './parity/families.js';
import { enginesPresent } from './support/engines.js';
import { makeTrainer } from './support/training.js';

/** One fixture of each layout and its hidden layers. */
const hiddenLayers: readonly (readonly [name: string, hidden: readonly string[]])[] = [
  ['xlm-roberta', layers('roberta.encoder.layer', 2)],
  ['camembert', layers('roberta.encoder.layer', 2)],
  ['distilbert', layers('distilbert.transformer.layer', 2)],
  ['mpnet', layers('mpnet.encoder.layer', 2)],
  [
    'albert',
    ['', '.visit.1', '.visit.2'].map(
      (visit) => `albert.encoder.albert_layer_groups.0.albert_layers.0${visit}`,
    ),
  ],
  [
    'albert-inner',
    ['0.albert_layers.0', '0.albert_layers.1', '0.albert_layers.0.visit.1', '0.albert_layers.1.visit.1']
      .concat(['1.albert_layers.0', '1.albert_layers.1'])
      .map((name) => `albert.encoder.albert_layer_groups.${name}`),
  ],
  ['modernbert', layers('model.layers', 4)],
  ['eurobert', layers('model.layers', 2)],
  ['deberta', layers('deberta.encoder.layer', 2)],
  ['deberta-v3', layers('deberta.encoder.layer', 2)],
  ['deberta-v2-buckets', layers('deberta.encoder.layer', 2)],
  ['deberta-v2-convolution', layers('deberta.encoder.layer', 2)],
  ['xlnet', layers('transformer.layer', 2)],
];
/** With every dropout on. */
const families = hiddenLayers.map(
  ([name, hidden]) => [name, dropoutsOf(FIXTURES.get(name)!), hidden] as const,
);

function layers(prefix: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${prefix}.${index}`);
}

/** A fixture's model, in training with dropout, and what a short run of it left. */
interface Run {
  readonly losses: number[];
  readonly warnings: string[];
  readonly trainer: Trainer;
  readonly weights: Map<string, number[]>;
}

async function train(
  name: string,
  plugins: readonly Plugin[],
  { config = {}, compile = false, steps = 3 }: { config?: object; compile?: boolean; steps?: number } = {},
): Promise<Run> {
  const folder = FIXTURES.get(name)!;
  const expected = expectedOf(folder);
  const { model } = await loadModel(folder, { config: { ...config } });
  const inputs = inputsOf(expected);
  const losses: number[] = [];
  const warnings: string[] = [];
  const task = expected.logits[0]!.length === 1 ? 'regression' : 'classification';
  const trainer = makeTrainer(model, plugins, {
    steps,
    batchSize: 5,
    compile,
    task,
    optimizer: { learningRate: 1e-3 },
    onWarning: (line) => warnings.push(line),
  });
  trainer.hooks.onStep.tap('test', ({ loss }) => {
    losses.push(loss);
  });
  await trainer.fit(tensorData(inputs, expected.labels));
  const weights = weightsOf(model);
  tf.dispose(inputs);
  model.dispose();
  return { losses, warnings, trainer, weights };
}

function weightsOf(model: LayersModel): Map<string, number[]> {
  return new Map(namedWeights(model).map(({ name, variable }) => [name, [...variable.read().dataSync()]]));
}

async function loadedWeights(name: string): Promise<Map<string, number[]>> {
  const { model } = await loadModel(FIXTURES.get(name)!);
  const weights = weightsOf(model);
  model.dispose();
  return weights;
}

const engines = await enginesPresent(['wasm', 'native']);
beforeEach(() => tf.setBackend('cpu'));

/** Compiling takes seconds each: here one layout, all of them in the deep tests. */
const compiled = families.filter(([name]) => process.env.HYPETUNE_DEEP ?? name === 'modernbert');

describe.each(engines)('$engine', ({ engine, backend }) => {
  test.skipIf(backend === undefined).each(engine === 'native' ? compiled : families)(
    '%s with dropout trains as on cpu; the native engine compiles every operation',
    { timeout: 300_000 },
    async (name, config) => {
      const wanted = await train(name, [], { config });
      const without = Object.fromEntries(Object.keys(config).map((rate) => [rate, 0]));
      expect((await train(name, [], { config: without })).losses).not.toEqual(wanted.losses);
      await tf.setBackend(backend!);
      const { losses, trainer } = await train(name, [], { config, compile: engine === 'native' });
      for (const [place, loss] of losses.entries())
        expect(Math.abs(loss - wanted.losses[place]!)).toBeLessThan(1e-4 * Math.abs(loss));
      if (engine === 'native')
        expect(trainer.compileReport()).toMatchObject({ compiled: true, eagerOperations: {} });
    },
  );
});

test.each(families)(
  '%s: every hidden layer is a site, in order from the input',
  async (name, config, hidden) => {
    const seen: [string, number, number[]][] = [];
    let known: readonly string[] = [];
    const spy: Plugin = {
      name: 'spy',
      apply: ({ hooks, layers, parameters, tokenTable, hasTokenTable, hasDropout }) => {
        expect([hasTokenTable, hasDropout]).toEqual([true, true]);
        expect(tokenTable).toBe(parameters.find(({ role }) => role === 'embedding'));
        known = layers.map((layer) => layer.name);
        hooks.beforeLayerForward.tap('spy', (states, layer) => {
          expect(layer.count).toBe(hidden.length);
          seen.push([layer.name, layer.index, states.shape]);
          return states;
        });
      },
    };
    const plain = await train(name, [], { config, steps: 1 });
    const { losses } = await train(name, [spy], { config, steps: 1 });
    expect(losses).toEqual(plain.losses);
    expect(known).toEqual(hidden);
    const { inputIds } = expectedOf(FIXTURES.get(name)!);
    const shape: unknown = [inputIds.length, inputIds[0]!.length, expect.any(Number)];
    expect(seen).toEqual(hidden.map((layer, index) => [layer, index, shape]));
  },
);

test.each(families)('%s: HyPe and LayerDrop act in each layer', async (name, _, hidden) => {
  const plain = await train(name, [], { steps: 1 });
  for (const layer of hidden.keys()) {
    const noised = await train(name, [hype({ scale: 0.1, layers: [layer] })], { steps: 1 });
    expect(noised.losses, `layer ${layer}`).not.toEqual(plain.losses);
  }
  const dropped: boolean[] = [];
  const watch: Plugin = {
    name: 'watch',
    apply({ hooks }) {
      let entering: tf.Tensor;
      hooks.beforeLayerForward.tap({ name: 'watch', stage: 1e6 }, (states) => (entering = states));
      hooks.afterLayerForward.tap({ name: 'watch', stage: 1e6 }, (states, { index }) => {
        dropped[index] ||= tf.tidy(() => tf.max(tf.abs(tf.sub(states, entering))).dataSync()[0] === 0);
        return states;
      });
    },
  };
  await train(name, [layerDrop({ rate: 0.6 }), watch], { steps: 12 });
  expect(dropped).toEqual(hidden.map(() => true));
});

test.each(families)(
  '%s: layer-decay, Top-K and reinit count its layers from the top',
  async (name, _, hidden) => {
    const count = hidden.length;
    const rate: Record<string, number> = {};
    const spy: Plugin = {
      name: 'spy',
      apply({ hooks }) {
        hooks.afterSchedule.tap(
          { name: 'spy', stage: 1e6 },
          (value, parameter) => (rate[parameter.name] = value),
        );
      },
    };
    await train(name, [layerDecay({ decay: 0.5 }), spy], { steps: 1 });
    const start = await loadedWeights(name);
    const trained = await train(name, [topK({ layers: 1 })], { steps: 1 });
    const reset = await train(name, [reinit({ layers: 1, pooler: false }), topK({ layers: 0 })], {
      steps: 1,
    });
    for (const [weight, values] of start) {
      // A weight that several layers share is of the first of them.
      const layer = hidden.findIndex((path) => weight.startsWith(`${path}.`));
      const last = /^model\.(final_)?norm\./.test(weight)
        ? count - 1
        : weight.startsWith('deberta.encoder.conv.')
          ? 0
          : layer;
      const head =
        /^(classifier|pre_classifier|dense|head|albert\.pooler|pooler|sequence_summary|logits_proj)\./.test(
          weight,
        );
      if (weight === 'transformer.mask_emb') {
        expect([rate[weight], trained.weights.get(weight)]).toEqual([undefined, values]);
        continue;
      }
      const depth = head ? 0 : count - last;
      expect(rate[weight]! / 1e-3, weight).toBeCloseTo(0.5 ** depth, 6);
      if (head) continue;
      if (last < count - 1) expect(trained.weights.get(weight), weight).toEqual(values);
      else expect(trained.weights.get(weight), weight).not.toEqual(values);
      if (last < count - 1) expect(reset.weights.get(weight), weight).toEqual(values);
      else if (!weight.endsWith('bias')) expect(reset.weights.get(weight), weight).not.toEqual(values);
    }
  },
);

test.each(['deberta-v3', 'xlnet'])(
  '%s: methods of every site stack, the same way at every repetition',
  async (name) => {
    const stack = (): Plugin[] => [
      reinit({ layers: 1 }),
      topK({ layers: 1 }),
      layerDecay({ decay: 0.5 }),
      hype({ scale: 0.01 }),
      layerDrop({ rate: 0.3 }),
      r3f({ scale: 0.01 }),
    ];
    const first = await train(name, stack());
    expect(first.losses.every(Number.isFinite)).toBe(true);
    expect(first.losses).not.toEqual((await train(name, [])).losses);
    expect((await train(name, stack())).losses).toEqual(first.losses);
  },
);

test.each(['modernbert', 'eurobert'])(
  '%s has no dropout as published, and methods that live on it say so',
  async (name) => {
    const { warnings } = await train(name, [rDrop(), r3f(), biDrop()], { steps: 1 });
    expect(warnings.slice(1)).toEqual([
      expect.stringContaining('r-drop: there is no dropout'),
      expect.stringContaining('r3f: without dropout'),
      expect.stringContaining('bi-drop: there is no dropout'),
    ]);
  },
);

const native = engines.find(({ engine }) => engine === 'native')?.backend;

test.skipIf(native === undefined)(
  'DeBERTa learns from rows longer than its buckets, in products that are operations of their own too',
  async () => {
    await tf.setBackend(native!);
    const model = buildModel(
      modelConfig(
        {
          ...{ model_type: 'deberta-v2', vocab_size: 50, hidden_size: 64, num_hidden_layers: 1 },
          ...{ num_attention_heads: 4, intermediate_size: 64, max_position_embeddings: 128 },
          ...{ relative_attention: true, position_buckets: 32, pos_att_type: ['p2c', 'c2p'] },
          ...{ share_att_key: true, norm_rel_ebd: 'layer_norm', position_biased_input: false },
          ...{ type_vocab_size: 0, initializer_range: 0.5 },
        },
        'deberta',
      ),
    );
    const ids = tf.randomUniform([2, 40], 0, 50, 'int32', 1);
    const step = (): tf.Tensor[] =>
      tf.tidy(() => {
        const inputs = [ids, tf.onesLike(ids), tf.zerosLike(ids)];
        const { value, grads } = tf.variableGrads(() =>
          tf.sum<tf.Scalar>(tf.sin(model.apply(inputs) as tf.Tensor)),
        );
        const name = Object.keys(grads).find((key) => key.includes('key_proj.weight'))!;
        return [value, grads[name]!];
      });
    const { recorder } = tf.backend() as unknown as { recorder: StepRecorder };
    const [expected, found] = [step(), recorder.record(step)];
    for (const [i, tensor] of expected.entries()) {
      const largest = tf.max(tf.abs(tensor)).dataSync()[0]!;
      expect(tf.max(tf.abs(tf.sub(found[i]!, tensor))).dataSync()[0]).toBeLessThan(1e-4 * largest);
    }
    expect(recorder.report().compiled).toBe(true);
    await tf.setBackend('cpu');
  },
);

test('norms and biases of every family are told from kernels', async () => {
  for (const [name] of families) {
    const { model, config } = await loadModel(FIXTURES.get(name)!);
    const roles: Record<string, string> = {};
    const spy: Plugin = {
      name: 'spy',
      apply: ({ parameters }) => {
        for (const parameter of parameters) roles[parameter.name] = parameter.role;
      },
    };
    makeTrainer(model, [spy]);
    for (const { name: weight, kind, variable } of namedWeights(model)) {
      const wanted = kind === 'scale' ? 'norm' : kind === 'linear' ? 'kernel' : undefined;
      if (wanted) expect(roles[weight], weight).toBe(wanted);
      if (kind === 'bias') expect(['bias', 'norm'], weight).toContain(roles[weight]);
      if (variable.shape[0] === config.vocab_size) expect(roles[weight], weight).toBe('embedding');
    }
    model.dispose();
    buildModel(config).dispose();
  }
});
