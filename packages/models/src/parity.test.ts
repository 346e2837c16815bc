import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  type Scalar,
  type Tensor,
  type Variable,
  losses,
  oneHot,
  setBackend,
  tensor2d,
  tidy,
  variableGrads,
} from '@tensorflow/tfjs-core';
import type { LayerVariable } from '@tensorflow/tfjs-layers';
import { parseSafetensors } from '@hypetune/safetensors';
import { beforeAll, expect, test } from 'vitest';
import { loadModel, namedWeights } from './index.js';

const FIXTURES = fileURLToPath(new URL('../fixtures', import.meta.url));
const TOLERANCE = 1e-4;

interface Expected {
  inputIds: number[][];
  attentionMask: number[][];
  tokenTypeIds: number[][];
  labels: number[];
  logits: number[][];
  loss: number;
}

function expectedOf(family: string): Expected {
  return JSON.parse(readFileSync(`${FIXTURES}/${family}/expected.json`, 'utf8')) as Expected;
}

beforeAll(() => setBackend('cpu'));

function inputs({ inputIds, attentionMask, tokenTypeIds }: Expected): Tensor[] {
  return [inputIds, attentionMask, tokenTypeIds].map((rows) => tensor2d(rows, undefined, 'int32'));
}

/** The variable that a weight reads as: what `variableGrads` differentiates by. */
function trained(variable: LayerVariable): Variable {
  const value: unknown = variable.read();
  return value as Variable;
}

function largestDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  expect(got.length).toBe(wanted.length);
  let largest = 0;
  for (let i = 0; i < got.length; i++) {
    largest = Math.max(largest, Math.abs(got[i]! - wanted[i]!)); // NaN stays one
  }
  return largest;
}

test.each(['bert', 'electra', 'roberta'])(
  '%s: logits, loss and every gradient agree with PyTorch transformers',
  async (family) => {
    const expected = expectedOf(family);
    const { model, initialized, unused } = await loadModel(`${FIXTURES}/${family}`);
    expect([initialized, unused]).toEqual([[], []]);
    const stored = parseSafetensors(
      readFileSync(`${FIXTURES}/${family}/gradients.safetensors`),
      'gradients.safetensors',
    );
    const weights = namedWeights(model);
    expect(weights.map(({ name }) => name).sort()).toEqual([...stored.keys()].sort());

    tidy(() => {
      const variables = weights.map(({ variable }) => trained(variable));
      const { value, grads } = variableGrads(() => {
        const logits = model.apply(inputs(expected)) as Tensor;
        expect(largestDifference(logits.dataSync(), expected.logits.flat())).toBeLessThan(TOLERANCE);
        return losses.softmaxCrossEntropy<Tensor, Scalar>(oneHot(expected.labels, 3), logits);
      }, variables);
      expect(Math.abs(value.dataSync()[0]! - expected.loss)).toBeLessThan(TOLERANCE);
      for (const { name, kind, variable } of weights) {
        const gradient = grads[trained(variable).name]!;
        const [rows, columns] = gradient.shape as [number, number];
        const values = gradient.dataSync();
        const wanted = stored.get(name)!.data as Float32Array;
        const aligned =
          kind === 'linear'
            ? wanted.map((_, i) => wanted[(i % columns) * rows + Math.floor(i / columns)]!)
            : wanted;
        expect(largestDifference(values, aligned), name).toBeLessThan(TOLERANCE);
        expect(wanted.some((v) => Math.abs(v) > 1e-3) || name.endsWith('key.bias'), name).toBe(true);
      }
    });
    model.dispose();
  },
);

test('padding changes nothing: a row alone has the logits it has in a batch', async () => {
  const expected = expectedOf('bert');
  const { model } = await loadModel(`${FIXTURES}/bert`);
  tidy(() => {
    const cut = (rows: number[][]): Tensor => tensor2d([rows[1]!.slice(0, 6)], undefined, 'int32');
    const { inputIds, attentionMask, tokenTypeIds } = expected;
    const alone = model.predict([cut(inputIds), cut(attentionMask), cut(tokenTypeIds)]) as Tensor;
    expect(largestDifference(alone.dataSync(), expected.logits[1]!)).toBeLessThan(TOLERANCE);
  });
  model.dispose();
});

test.each([
  {
    where: 'at the right',
    ids: [0, 5, 6, 2, 1, 1],
    mask: [1, 1, 1, 1, 0, 0],
    wanted: [0.641375, -0.710751, -1.442724],
  },
  {
    where: 'at the left',
    ids: [1, 1, 0, 5, 6, 2],
    mask: [0, 0, 1, 1, 1, 1],
    wanted: [0.725513, 0.019328, -1.118743],
  },
  {
    where: 'inside',
    ids: [0, 5, 1, 6, 2, 1],
    mask: [1, 1, 0, 1, 1, 0],
    wanted: [0.641375, -0.710751, -1.442724],
  },
  {
    where: 'inside and read',
    ids: [0, 5, 1, 6, 2, 1],
    mask: [1, 1, 1, 1, 1, 0],
    wanted: [0.707298, -0.780554, -1.468166],
  },
])('RoBERTa counts positions over the tokens alone: padding $where', async ({ ids, mask, wanted }) => {
  const { model } = await loadModel(`${FIXTURES}/roberta`);
  tidy(() => {
    const inputs = [ids, mask, ids.map(() => 0)].map((row) => tensor2d([row], undefined, 'int32'));
    const logits = model.predict(inputs) as Tensor;
    expect(largestDifference(logits.dataSync(), wanted)).toBeLessThan(TOLERANCE);
  });
  model.dispose();
});
