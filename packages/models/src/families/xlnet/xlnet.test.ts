import '@tensorflow/tfjs-backend-cpu';
import { fileURLToPath } from 'node:url';
import { readFileSync } from 'node:fs';
import { type Tensor, setBackend, tensor2d, tensor3d, tidy } from '@tensorflow/tfjs-core';
import { foldIn, seedKey, withDraws } from '@hypetune/ops';
import { beforeAll, expect, test } from 'vitest';
import { buildModel, loadModel, modelConfig, positionsOf } from '../../index.js';
import { relativeSinusoids } from './relative-sinusoids.js';
import { outermostToken } from '../../layers/pooling.js';

const FIXTURE = fileURLToPath(new URL('../../../fixtures/families/xlnet', import.meta.url));

beforeAll(() => setBackend('cpu'));

test('padding may lie on either side: the logits are the same', async () => {
  const expected = JSON.parse(readFileSync(`${FIXTURE}/expected.json`, 'utf8')) as Record<string, number[][]>;
  const { model } = await loadModel(FIXTURE);
  tidy(() => {
    const { inputIds, attentionMask, tokenTypeIds, logits } = expected;
    const first = attentionMask!.map((row) => row.indexOf(1));
    expect(Math.max(...first)).toBeGreaterThan(0);
    const atEnd = [inputIds!, attentionMask!, tokenTypeIds!].map((rows) =>
      tensor2d(
        rows.map((row, i) => [...row.slice(first[i]), ...row.slice(0, first[i])]),
        undefined,
        'int32',
      ),
    );
    const got = (model.predict(atEnd) as Tensor).dataSync();
    logits!.flat().forEach((value, i) => {
      expect(got[i]).toBeCloseTo(value, 5);
    });
  });
  model.dispose();
});

test('the outermost token is the first or last that is no padding', () => {
  tidy(() => {
    const hidden = tensor3d([[[1], [2], [3], [4]]]);
    const mask = tensor2d([[0, 1, 1, 0]], undefined, 'int32');
    expect([...outermostToken(hidden, mask, 'first').dataSync()]).toEqual([2]);
    expect([...outermostToken(hidden, mask, 'last').dataSync()]).toEqual([3]);
  });
});

test('positions: sines, then cosines, by descending distance, clamped where asked', () => {
  const rows = (farthest: number): number[][] =>
    Array.from({ length: 6 }, (_, i) => [...relativeSinusoids(3, 4, farthest).slice(4 * i, 4 * i + 4)]);
  const row = (d: number): number[] => [Math.sin(d), Math.sin(d / 100), Math.cos(d), Math.cos(d / 100)];
  rows(-1).forEach((got, i) => {
    row(3 - i).forEach((value, j) => {
      expect(got[j]).toBeCloseTo(value, 6);
    });
  });
  expect(rows(1).slice(0, 3)).toEqual([rows(1)[2], rows(1)[2], rows(1)[2]]);
});

test('one rate drives both kinds of dropout; a rate of its own for attention comes first', () => {
  const config = modelConfig({
    model_type: 'xlnet',
    vocab_size: 20,
    d_model: 8,
    n_layer: 1,
    n_head: 2,
    d_inner: 8,
    initializer_range: 0.3,
    summary_last_dropout: 0,
  });
  expect(positionsOf(config)).toBe(Infinity);
  const model = buildModel(config);
  const logits = (rates: { hidden?: number; attention?: number }): Float32Array => {
    const scope = {
      key: foldIn(seedKey(1), 'main'),
      training: true,
      rate: (kind: 'hidden' | 'attention', declared: number) => rates[kind] ?? declared,
    };
    const ids = tensor2d([[7, 8, 9, 4, 3]], undefined, 'int32');
    const ones = tensor2d([[1, 1, 1, 1, 1]], undefined, 'int32');
    const output = tidy(() => withDraws(scope, () => model.apply([ids, ones, ones]) as Tensor).dataSync());
    ids.dispose();
    ones.dispose();
    return output as Float32Array;
  };
  const still = logits({ hidden: 0, attention: 0 });
  expect(logits({ hidden: 0 })).toEqual(still);
  expect(logits({ hidden: 0, attention: 0.5 })).not.toEqual(still);
  expect(logits({ attention: 0 })).not.toEqual(logits({}));
  expect(logits({ attention: 0 })).not.toEqual(still);
  model.dispose();
});

test.each([
  ['d_head', 3, /d_head must be d_model \/ n_head \(4\), got 3/],
  ['attn_type', 'both', /attn_type must be bi or uni/],
  ['bi_data', true, /bi_data must be false/],
  ['summary_type', 'attn', /summary_type must be one of last, first, mean, cls_index, got "attn"/],
  ['dropout', 1, /dropout must be a number in \[0, 1\), got 1/],
])('a configuration with a bad %s is refused', (key, value, message) => {
  expect(() => modelConfig({ model_type: 'xlnet', d_model: 8, n_head: 2, [key]: value })).toThrow(message);
});
