import '@tensorflow/tfjs-backend-cpu';
import { type Tensor, setBackend, tidy } from '@tensorflow/tfjs-core';
import { model } from '@tensorflow/tfjs-layers';
import { expect, test } from 'vitest';
import { expected, findMiniLM, inputsOf } from '../fixtures/minilm.js';
import { loadModel, loadTokenizer } from './index.js';

const { maxLength, rows } = expected;
const folder = await findMiniLM();

test.skipIf(!folder)('the tokenizer gives the ids of the reference, cut texts included', async () => {
  const tokenizer = await loadTokenizer(folder!);
  const encoded = tokenizer.encode(
    rows.map(({ texts }) => texts),
    { maxLength },
  );
  expect(encoded).toEqual(rows.map(({ inputIds, tokenTypeIds }) => ({ inputIds, tokenTypeIds })));
});

test.skipIf(!folder)('pooled outputs agree with PyTorch transformers', { timeout: 300_000 }, async () => {
  await setBackend('cpu');
  const loaded = await loadModel(folder!, { labels: 2 });
  expect(loaded.initialized).toEqual(['classifier.weight', 'classifier.bias']);
  expect(loaded.unused).toEqual([]);
  const encoder = model({ inputs: loaded.model.inputs, outputs: loaded.model.layers.at(-2)!.output });
  for (const row of rows.slice(0, 3)) {
    const got = tidy(() => (encoder.apply(inputsOf(row)) as Tensor).dataSync<'float32'>());
    row.pooled.forEach((value, i) => {
      expect(Math.abs(got[i]! - value)).toBeLessThan(1e-4);
    });
    expect(Math.abs(got.reduce((sum, value) => sum + value, 0) - row.pooledSum)).toBeLessThan(5e-3);
  }
});
