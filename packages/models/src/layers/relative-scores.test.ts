import '@tensorflow/tfjs-backend-cpu';
import '@tensorflow/tfjs-layers'; // registers the gradients
import { type Tensor, grads, mul, setBackend, sum, tensor, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { relativeScores } from './relative-scores.js';

const [BATCH, LENGTH, HEADS, SIZE] = [2, 3, 2, 2];
const HIDDEN = HEADS * SIZE;
const numbers = (shape: number[], phase: number): Tensor => {
  const count = shape.reduce((a, b) => a * b);
  return tensor(
    Float32Array.from({ length: count }, (_, i) => Math.sin(3 * i + phase)),
    shape,
  );
};

beforeAll(() => setBackend('cpu'));

test('each pair of tokens gets the vector of its distance', () => {
  tidy(() => {
    const [x, vectors] = [numbers([BATCH, LENGTH, HIDDEN], 0), numbers([2 * LENGTH, HIDDEN], 1)];
    const scores = relativeScores(x, vectors, HEADS);
    expect(scores.shape).toEqual([BATCH, HEADS, LENGTH, LENGTH]);
    const [a, b, got] = [x.dataSync(), vectors.dataSync(), scores.dataSync()];
    for (let row = 0; row < BATCH; row++)
      for (let head = 0; head < HEADS; head++)
        for (let i = 0; i < LENGTH; i++)
          for (let j = 0; j < LENGTH; j++) {
            let wanted = 0;
            for (let f = head * SIZE; f < (head + 1) * SIZE; f++)
              wanted += a[(row * LENGTH + i) * HIDDEN + f]! * b[(LENGTH - i + j) * HIDDEN + f]!;
            const place = ((row * HEADS + head) * LENGTH + i) * LENGTH + j;
            expect(got[place]).toBeCloseTo(wanted, 5);
          }
  });
});

test('its gradients are the slopes, that of the row which is not read is 0', () => {
  tidy(() => {
    const [x, vectors] = [numbers([1, LENGTH, HIDDEN], 0), numbers([2 * LENGTH, HIDDEN], 1)];
    const weights = numbers([1, HEADS, LENGTH, LENGTH], 2);
    const f = (x: Tensor, vectors: Tensor): Tensor => sum(mul(weights, relativeScores(x, vectors, HEADS)));
    const [forX, forVectors] = grads(f)([x, vectors]) as [Tensor, Tensor];
    // f is linear in each of the two, so its gradient is exact at any distance.
    const alongX = sum(mul(forX, x)).dataSync()[0]!;
    const alongVectors = sum(mul(forVectors, vectors)).dataSync()[0]!;
    const value = f(x, vectors).dataSync()[0]!;
    expect(alongX).toBeCloseTo(value, 5);
    expect(alongVectors).toBeCloseTo(value, 5);
    expect([...forVectors.dataSync().slice(0, HIDDEN)]).toEqual(Array(HIDDEN).fill(0));
  });
});
