import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import * as tf from '@tensorflow/tfjs-core';
import { ATTENTION_STAGE, tensorData, Trainer, type Plugin } from '@hypetune/core';
import { bertConfig, bertModel } from '@hypetune/models';
import { expect, test } from 'vitest';
import { dropKey, dropKeys, layerRate } from './index.js';

const near = (tensor: tf.Tensor, wanted: number[], digits = 6): void => {
  const got = Array.from(tensor.dataSync());
  expect(got).toHaveLength(wanted.length);
  got.forEach((value, i) => {
    expect(value).toBeCloseTo(wanted[i]!, digits);
  });
};
const row = (values: number[]): tf.Tensor => tf.tensor4d(values, [1, 1, 1, values.length]);

test('the drop ratio falls on a line', () => {
  expect([0, 1, 2, 3].map((index) => layerRate(0.2, 'decreasing', index, 4))).toEqual([
    0.2, 0.15000000000000002, 0.1, 0.05,
  ]);
  expect(layerRate(0.2, 'constant', 3, 4)).toBe(0.2);
});

test('a dropped key gets nothing, the others share what it had', () => {
  // softmax(ln 1, ln 3, ln 4) without the second
  const scores = row([0, Math.log(3), Math.log(4)]);
  near(tf.softmax(dropKeys(scores, row([0, 1, 0]))), [0.2, 0, 0.8]);
  near(tf.softmax(dropKeys(scores, row([0, 0, 0]))), [0.125, 0.375, 0.5]);
});

test.each([-1e9, -1e4])(
  'a query that would lose every key it sees loses none; padding of %d stays hidden',
  (hidden) => {
    const scores = row([0, Math.log(3), hidden]);
    near(tf.softmax(dropKeys(scores, row([1, 1, 0]))), [0.25, 0.75, 0]);
    near(tf.softmax(dropKeys(scores, row([1, 1, 1]))), [0.25, 0.75, 0]);
    near(tf.softmax(dropKeys(scores, row([1, 0, 1]))), [0, 1, 0]);
  },
);

test('the gradient reaches the keys that are left', () => {
  const dropped = row([0, 1, 0]);
  const gradient = tf.grad((scores) => tf.sum(tf.mul(tf.softmax(dropKeys(scores, dropped)), row([1, 5, 0]))))(
    row([0, 0, 0]),
  );
  near(gradient, [0.25, 0, -0.25]);
});

/** Scores that enter the softmax while training, by layer, 6 tokens of which the last 2 are padding. */
async function seenScores(plugin: Plugin): Promise<{ scores: Float32Array[]; explained: string }> {
  const sizes = {
    vocab_size: 20,
    hidden_size: 8,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 8,
  };
  const model = bertModel(bertConfig({ ...sizes, max_position_embeddings: 8 }), { seed: 1 });
  const kept: tf.Tensor[] = [];
  const spy: Plugin = {
    name: 'spy',
    apply: ({ hooks }) => {
      hooks.afterAttentionScores.tap({ name: 'spy', stage: ATTENTION_STAGE.RECORD }, (scores) => {
        kept.push(tf.keep(tf.clone(scores)));
        return scores;
      });
    },
  };
  const rows = 32;
  const mask = tf.tile(tf.tensor2d([[1, 1, 1, 1, 0, 0]], [1, 6], 'int32'), [rows, 1]);
  const inputs = [tf.ones([rows, 6], 'int32'), mask, tf.zeros([rows, 6], 'int32')];
  const trainer = new Trainer({ model, plugins: [plugin, spy], steps: 1, batchSize: rows, compile: false });
  await trainer.fit(tensorData(inputs, new Array<number>(rows).fill(0)));
  model.dispose();
  return { scores: kept.map((tensor) => tensor.dataSync<'float32'>()), explained: trainer.explain() };
}

test('in the model: the ratio by layer, padding hidden, nobody without keys, attention dropout off', async () => {
  const { scores, explained } = await seenScores(dropKey({ rate: 0.4 }));
  expect(scores).toHaveLength(2);
  for (const [layer, values] of scores.entries()) {
    let [dropped, visible] = [0, 0];
    for (let at = 0; at < values.length; at += 6) {
      const query = Array.from(values.subarray(at, at + 6), (score) => score < -1e8);
      expect(query.slice(4)).toEqual([true, true]);
      expect(query.slice(0, 4)).toContain(false);
      dropped += query.slice(0, 4).filter(Boolean).length;
      visible += 4;
    }
    const rate = [0.4, 0.2][layer]!;
    // Less by the rows that would have lost all four keys and lose none.
    expect(Math.abs(dropped / visible - (rate - rate ** 4))).toBeLessThan(0.03);
  }
  expect(explained).toContain('{"attention":0} by drop-key');
});

test.each([
  [{ rate: 1 }, 'drop-key: rate must be a finite number >= 0 and < 1, got 1.'],
  [{ schedule: 'linear' }, "drop-key: schedule must be one of 'decreasing', 'constant', got 'linear'."],
  [{ attentionDropout: -1 }, 'drop-key: attentionDropout must be a finite number >= 0 and < 1, got -1.'],
])('%o is refused by name', (options, message) => {
  expect(() => dropKey.create(options)).toThrow(message);
});
