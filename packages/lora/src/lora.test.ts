import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { listParameters, Trainer, type Plugin } from '@hypetune/core';
import { bertConfig, buildModel, modelConfig } from '@hypetune/models';
import { seedKey } from '@hypetune/ops';
import { expect, test } from 'vitest';
import { buildModel as smallModel, buildData } from '../../../test/support/models.js';
import { expectResumable } from '../../../test/support/resumed.js';
import { makeTrainer, train } from '../../../test/support/training.js';
import {
  adapted,
  adapterFiles,
  dora,
  initialDown,
  lora,
  moduleOf,
  outputNorms,
  scaling,
  targetKernels,
  withMagnitude,
} from './index.js';

const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());

test('W + s A B by hand (V1)', () => {
  const weight = tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3]);
  const down = tf.tensor2d([1, -1], [2, 1]);
  const up = tf.tensor2d([2, 0, 4], [1, 3]);
  expect(values(adapted(weight, down, up, 0.5))).toEqual([2, 2, 5, 3, 5, 4]);
  expect([scaling(8, 4, false), scaling(8, 4, true)]).toEqual([2, 4]);
});

test('DoRA keeps directions and sets the norms of outputs, which are constants to the gradient (V2)', () => {
  const kernel = tf.tensor2d([3, 0, 4, 2], [2, 2]);
  expect(values(outputNorms(kernel))).toEqual([5, 2]);
  expect(values(withMagnitude(kernel, tf.tensor1d([10, 1])))).toEqual([6, 0, 8, 1]);
  const gradient = tf.grad((v) => tf.sum(withMagnitude(v, tf.tensor1d([10, 1]))))(kernel);
  expect(values(gradient)).toEqual([2, 0.5, 2, 0.5]);
});

test('A starts uniform within 1 / sqrt(inputs)', () => {
  const start = values(initialDown(100, 50, seedKey(1)));
  expect(Math.max(...start.map(Math.abs))).toBeLessThanOrEqual(0.1);
  const deviation = Math.sqrt(start.reduce((sum, value) => sum + value ** 2, 0) / start.length);
  expect(Math.abs(deviation - 0.1 / Math.sqrt(3))).toBeLessThan(0.002);
});

test('targets are query and value, ends of names, or every linear module below the head', () => {
  const model = smallModel('bert');
  const parameters = listParameters(model);
  const names = (targets?: Parameters<typeof targetKernels>[1]): string[] =>
    targetKernels(parameters, targets).map(({ name }) => name.replace('bert.encoder.layer.', ''));
  expect(names()).toEqual(
    [0, 1].flatMap((layer) => ['query', 'value'].map((part) => `${layer}.attention.self.${part}.weight`)),
  );
  expect(names(['1.output.dense'])).toEqual(['1.output.dense.weight']);
  expect(names('all-linear')).toHaveLength(13);
  expect(() => names(['q_proj'])).toThrow(
    'lora: targetModules must name a linear module, got ["q_proj"]; the model has query, key, value, dense.',
  );
  const own = smallModel('features');
  expect(targetKernels(listParameters(own), undefined)).toHaveLength(2);
  for (const built of [model, own]) built.dispose();
});

test('less than 1 % of MiniLM-L6 trains', () => {
  const config = bertConfig({
    hidden_size: 384,
    num_hidden_layers: 6,
    num_attention_heads: 12,
    intermediate_size: 1536,
  });
  const model = buildModel(config, { seed: 1, start: 'zeros' });
  const trainer = new Trainer({ model, plugins: [lora()], steps: 1 });
  const size = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 1);
  const count = (trained: boolean): number =>
    listParameters(model)
      .filter(
        (parameter) => !trained || trainer.hooks.shouldTrain.call(parameter, { step: 1, total: 1 }) !== false,
      )
      .reduce((sum, { shape }) => sum + size(shape), 0);
  // 12 modules of 384 x 8 and 8 x 384.
  expect(trainer.explain()).toContain('added      73,728 weights in 24 tensors, by lora');
  expect(count(true)).toBe(384 * 2 + 2);
  expect((73728 + count(true)) / count(false)).toBeLessThan(0.0034);
  model.dispose();
});

test.each([
  ['none', 0],
  ['lora_only', 4],
  ['all', 18],
] as const)('bias %s trains %i biases beside the adapters', (bias, wanted) => {
  const model = smallModel('bert');
  const { hooks } = makeTrainer(model, [lora({ bias })]);
  const trained = listParameters(model).filter(
    (parameter) => parameter.pretrained && hooks.shouldTrain.call(parameter, { step: 1, total: 1 }) !== false,
  );
  expect(trained.every(({ name }) => name.endsWith('.bias'))).toBe(true);
  expect(trained).toHaveLength(wanted);
  model.dispose();
});

/** Trains, and returns the main pass's logits of every step and what `evaluate` gives in the middle of it and at its end. */
async function watched(
  plugins: readonly Plugin[],
): Promise<{ middle: number[][]; after: number[][]; last: number[] }> {
  const model = smallModel('bert');
  const { data, dispose } = buildData('bert');
  const trainer = makeTrainer(model, plugins, {
    dropout: { hidden: 0, attention: 0 },
    batchSize: 8,
    steps: 3,
  });
  const logits = async (): Promise<number[][]> => (await trainer.predict(data)).map((row) => Array.from(row));
  const losses: number[] = [];
  let middle: number[][] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    middle = await logits();
  });
  await trainer.fit(data);
  const after = await logits();
  const { loss } = await trainer.evaluate(data);
  dispose();
  model.dispose();
  return { middle, after, last: [...losses, loss] };
}

test.each([
  ['lora', lora],
  ['dora', dora],
] as const)(
  '%s: starts as the plain model, learns, and what is merged is what was trained',
  async (_, method) => {
    const { middle, after, last } = await watched([method({ rank: 2, targetModules: 'all-linear' })]);
    const plain = await watched([]);
    expect(last[0]).toBeCloseTo(plain.last[0]!, 5);
    expect(last.at(-1)).toBeLessThan(last[0]!);
    expect(after).toEqual(middle);
    expect(last).not.toEqual(plain.last);
  },
);

test('the loss of the next step is that of the merged weights', async () => {
  const losses: number[] = [];
  const evaluated: number[] = [];
  const model = smallModel('bert');
  const { data, dispose } = buildData('bert');
  const trainer = makeTrainer(model, [dora({ rank: 2 })], {
    dropout: { hidden: 0, attention: 0 },
    batchSize: 8,
    steps: 3,
  });
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    evaluated.push((await trainer.evaluate(data)).loss);
  });
  await trainer.fit(data);
  for (const [step, loss] of losses.slice(1).entries()) expect(evaluated[step]).toBeCloseTo(loss, 5);
  dispose();
  model.dispose();
});

test('what is pre-trained and no target stays as it was, to the last bit', async () => {
  const model = smallModel('bert');
  const before = listParameters(model).map(({ variable }) => values(variable));
  const { data, dispose } = buildData('bert');
  await makeTrainer(model, [lora({ rank: 2 })]).fit(data);
  const changed = listParameters(model)
    .filter(({ variable }, place) => values(variable).join() !== before[place]!.join())
    .map(({ name }) => name.replace(/^bert.encoder.layer.\d.attention.self./, ''));
  expect(new Set(changed)).toEqual(
    new Set(['query.weight', 'value.weight', 'classifier.weight', 'classifier.bias']),
  );
  dispose();
  model.dispose();
});

test.each([
  ['lora', lora],
  ['dora', dora],
] as const)('%s resumes, repeats itself, leaves no tensor', (_, method) =>
  expectResumable('bert', () => [method({ rank: 2 })]),
);

test('rank 0 is plain training to the last bit', async () => {
  expect(await train('bert', [lora({ rank: 0 })])).toEqual(await train('bert', []));
});

test.each([
  [{ rank: -1 }, 'lora: rank must be an integer >= 0, got -1.'],
  [{ alpha: 0 }, 'lora: alpha must be a finite number > 0, got 0.'],
  [
    { targetModules: 'attention' },
    "lora: targetModules must be 'all-linear' or a list of at least 1, each entry a string, got 'attention'.",
  ],
  [{ dropout: 0.1 }, "lora: unknown option 'dropout'"],
])('%o is refused by name', (options, message) => {
  expect(() => lora.create(options)).toThrow(message);
});

test("parameters outside of modules, as XLNet's attention has them, get an adapter each; PEFT has no place for them", async () => {
  const xlnet = { model_type: 'xlnet', vocab_size: 20, d_model: 8, n_layer: 1, n_head: 2, d_inner: 12 };
  const model = buildModel(modelConfig(xlnet));
  const { data, dispose } = buildData('bert');
  const trainer = makeTrainer(model, [lora({ rank: 2, targetModules: ['q', 'v'] })], { steps: 2 });
  const trained: string[] = [];
  trainer.hooks.onFitStart.tap('test', ({ parameters }) => {
    trained.push(...parameters.map(({ name }) => name).filter((name) => name.endsWith('lora_A')));
  });
  trainer.hooks.onFitEnd.tapPromise('test', () =>
    expect(adapterFiles(trainer)).rejects.toThrow(
      "lora: PEFT adapts modules, and 'transformer.layer.0.rel_attn.q' is a parameter outside of any;",
    ),
  );
  await trainer.fit(data);
  expect(trained).toEqual(['q', 'v'].map((name) => `lora/transformer.layer.0.rel_attn.${name}.lora_A`));
  expect(moduleOf('lstm.recurrent_kernel')).not.toBe(moduleOf('lstm.kernel'));
  dispose();
  model.dispose();
});
