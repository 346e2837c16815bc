import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential } from '@tensorflow/tfjs-layers';
import { HIDDEN_STAGE, tensorData, Trainer, type Plugin, type PluginHost } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import { expect, test } from 'vitest';
import {
  cutCount,
  cutoff,
  disagreement,
  keptFeatures,
  keptSpan,
  keptTokens,
  tokenSpan,
  type TokenRange,
} from './index.js';

const near = (tensor: tf.Tensor, wanted: number[]): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, 6);
  });
};
const range = (lengths: number[], ratio: number, spared = 1): TokenRange => ({
  ...{ first: tf.zeros([lengths.length, 1]), lengths: tf.tensor2d(lengths, [lengths.length, 1]) },
  ...{ positions: 6, ratio, spared },
});

test('tokens: as many as the share of the row, none at its ends, none in the padding', () => {
  // 6 tokens: 2 of 4 inner ones; 4 tokens: 1 of 2; 2 tokens: none is open
  const draws = tf.tensor2d([0, 0.99, 0.5, 0, 0.9, 0.9], [3, 2]);
  near(keptTokens(draws, range([6, 4, 2], 0.4)), [1, 0, 1, 1, 0, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
  near(keptTokens(tf.tensor2d([0, 0.99], [1, 2]), range([6], 0.4, 0)), [0, 1, 1, 1, 1, 0]);
});

test('span: one run, from the first open token to the last', () => {
  const draws = tf.tensor2d([0, 0.5, 0.999], [3, 1]);
  near(keptSpan(draws, range([6, 6, 6], 0.4)), [1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 0, 0, 1]);
  near(keptSpan(tf.tensor2d([0.999], [1, 1]), range([3], 0.9)), [1, 0, 1, 1, 1, 1]);
  near(keptSpan(tf.tensor2d([0.5], [1, 1]), range([2], 0.9)), [1, 1, 1, 1, 1, 1]);
});

test('rows padded at the left are cut among their tokens too', () => {
  const span = tokenSpan(tf.tensor2d([0, 0, 1, 1, 1, 1, 0, 0], [2, 4]));
  near(span.first, [2, 0]);
  near(span.lengths, [2, 2]);
  const left = { ...tokenSpan(tf.tensor2d([[0, 0, 1, 1, 1, 1]])), positions: 6, ratio: 0.5, spared: 1 };
  near(keptSpan(tf.tensor2d([[0]]), left), [1, 1, 1, 0, 0, 1]);
  near(keptTokens(tf.tensor2d([[0.99]]), left), [1, 1, 1, 1, 0, 1]);
});

test('features: each draw names one', () => {
  near(keptFeatures(tf.tensor2d([0, 0.6, 0.99, 0.99], [2, 2]), 4), [0, 1, 0, 1, 1, 1, 1, 0]);
  expect(cutCount(10, 0.3)).toBe(3);
});

test('the divergence is at most ln 2, both ways round, and 0 for equals', () => {
  const [p, q] = [tf.tensor2d([[0, 0]]), tf.tensor2d([[Math.log(3), 0]])];
  // p = (1/2, 1/2), q = (3/4, 1/4), m = (5/8, 3/8)
  const kl = (a: number[], b: number[]): number => a.reduce((sum, x, i) => sum + x * Math.log(x / b[i]!), 0);
  const [P, Q, M] = [[0.5, 0.5], [0.75, 0.25], [0.625, 0.375]] as const; // prettier-ignore
  near(disagreement(p, q, 'js'), [(kl([...P], [...M]) + kl([...Q], [...M])) / 2]);
  near(disagreement(p, q, 'reference'), [(kl([...M], [...P]) + kl([...M], [...Q])) / 2]);
  near(disagreement(p, p, 'js'), [0]);
  near(disagreement(tf.tensor2d([[500, 0]]), tf.tensor2d([[0, 500]]), 'js'), [Math.LN2]);
});

test('the gradient of the divergence is finite where predictions are sure', () => {
  const gradient = tf.grad((x) => tf.sum(disagreement(x as tf.Tensor2D, tf.tensor2d([[0, 500]]), 'js')));
  near(gradient(tf.tensor2d([[500, 0]])), [0, 0]);
});

/** What a step of a small BERT shows: states entering its layers, by pass, and the terms of the loss. */
async function observed(
  plugin: Plugin,
  last = 0,
): Promise<{ states: Record<string, number[][][]>; terms: Record<string, number> }> {
  const sizes = {
    vocab_size: 20,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 8,
  };
  const model = bertModel(bertConfig({ ...sizes, max_position_embeddings: 8, initializer_range: 0.5 }), {
    seed: 1,
  });
  const kept: Record<string, tf.Tensor> = {};
  let terms = {};
  const spy: Plugin = {
    name: 'spy',
    apply: ({ hooks }: PluginHost) => {
      hooks.beforeLayerForward.tap({ name: 'spy', stage: HIDDEN_STAGE.RECORD }, (hidden, layer, pass) => {
        kept[`${pass.name} ${layer.index}`] = tf.keep(tf.clone(hidden));
        return hidden;
      });
      hooks.beforeBatch.tap('spy', (batch) => ({ ...batch, inputs }));
      hooks.onStep.tap('spy', (report) => (terms = report.terms));
    },
  };
  const ids = tf.tensor2d([[1, 2, 3, 4, 5, 6], [1, 9, 8, 9, 6, 6]], [2, 6], 'int32'); // prettier-ignore
  const mask = tf.tensor2d([[1, 1, 1, 1, 1, 1], [1, 1, 1, 1, last, last]], [2, 6], 'int32'); // prettier-ignore
  const inputs = [ids, mask, tf.zeros([2, 6], 'int32')];
  const trainer = new Trainer({
    model,
    plugins: [plugin, spy],
    steps: 1,
    compile: false,
    dropout: { hidden: 0, attention: 0 },
  });
  await trainer.fit(tensorData(inputs, [0, 1]));
  model.dispose();
  const states = Object.fromEntries(
    Object.entries(kept).map(([name, tensor]) => [name, tensor.arraySync() as number[][][]]),
  );
  return { states, terms };
}

const erased = (tokens: readonly number[][]): boolean[] =>
  tokens.map((features) => features.every((feature) => feature === 0));

test.each([
  ['token', [2, 1]],
  ['span', [2, 1]],
] as const)('%s: erased at the first layer of the second pass alone', async (kind, most) => {
  const { states, terms } = await observed(cutoff({ kind, ratio: 0.4 }));
  for (const [row, length] of [6, 4].entries()) {
    const cut = erased(states['cutoff 0']![row]!);
    expect(cut.slice(0, length).filter(Boolean).length).toBeGreaterThan(0);
    expect(cut.filter(Boolean).length).toBeLessThanOrEqual(most[row]!);
    expect([cut[0], cut[length - 1], ...cut.slice(length)]).not.toContain(true);
    for (const pass of ['main 0', 'main 1', 'cutoff 1'])
      expect(erased(states[pass]![row]!)).not.toContain(true);
  }
  expect(Object.keys(terms)).toEqual(['task', 'cutoff/task', 'cutoff/agreement']);
  expect(terms['cutoff/agreement']).toBeGreaterThan(0);
});

test('an erased token is hidden from the others: what stood there does not matter', async () => {
  const { states } = await observed(cutoff({ kind: 'span', ratio: 0.9 }), 1);
  expect(states['cutoff 0']!.map(erased)).toEqual([0, 1].map(() => [false, true, true, true, true, false]));
  const [first, second] = states['cutoff 1']!;
  expect(first![0]).toEqual(second![0]);
  const [plain, other] = states['main 1']!;
  expect(plain![0]).not.toEqual(other![0]);
});

test('feature: the same features of every token', async () => {
  const { states } = await observed(cutoff({ kind: 'feature', ratio: 0.5 }));
  const [tokens] = states['cutoff 0']!;
  const cut = tokens![0]!.map((_, feature) => tokens!.every((token) => token[feature] === 0));
  expect(cut.filter(Boolean).length).toBeGreaterThan(0);
  expect(cut.filter(Boolean).length).toBeLessThanOrEqual(4);
  expect(states['main 0']![0]!.flat()).not.toContain(0);
});

test('tokens of a model that flattens them are refused', async () => {
  const model = sequential({
    layers: [layers.dense({ units: 3, inputShape: [4] }), layers.dense({ units: 2 })],
  });
  const trainer = new Trainer({ model, plugins: [cutoff({ ratio: 0.5 })], steps: 1, compile: false });
  await expect(trainer.fit(tensorData(tf.ones([2, 4]), [0, 1]))).rejects.toThrow(
    "cutoff: tokens can be erased where the first hidden layer gets [2, 4, width], it gets [2, 4]; use kind 'feature'.",
  );
  model.dispose();
});

test.each([
  [{ kind: 'word' }, "cutoff: kind must be one of 'token', 'span', 'feature', got 'word'."],
  [{ ratio: 1 }, 'cutoff: ratio must be a finite number >= 0 and < 1, got 1.'],
  [{ beta: 1 }, "cutoff: unknown option 'beta'"],
])('%o is refused by name', (options, message) => {
  expect(() => cutoff.create(options)).toThrow(message);
});
