import { webAssembly } from './webassembly.js';
import { afterAll, expect, test } from 'vitest';
import { Multiplier } from './multiplier.js';
import type { Matrices } from './multiplier.js';
import type { ProductThreads } from './threads.js';

const stopped: ProductThreads[] = [];
afterAll(() => Promise.all(stopped.map((threads) => threads.stop())));

async function multiplier(count: number): Promise<{ unit: Multiplier; floats: Float32Array; free: number }> {
  const memory = new webAssembly.Memory({ initial: 600 });
  let free = 64;
  const threads = await Multiplier.startThreads(count);
  if (threads !== undefined) stopped.push(threads);
  const unit = new Multiplier(
    memory,
    (bytes) => {
      const address = free;
      free += Math.ceil(bytes / 64) * 64;
      return address;
    },
    threads,
  );
  return { unit, floats: new Float32Array(memory.buffer), free };
}

/** Small integers, so that sums are exact in any order. */
function fill(floats: Float32Array, from: number, size: number): void {
  for (let i = 0; i < size; i++) floats[from + i] = ((i * 7919) % 17) - 8;
}

const cases = [
  [1, 1, 1],
  [4, 8, 3],
  [5, 8, 256],
  [6, 9, 257],
  [130, 33, 300],
  [7, 2050, 3],
  [251, 190, 130],
  [130, 251, 190],
] as const;

for (const count of [1, 3])
  test(`products with ${count} thread(s) equal the sums of products, transposed and accumulated`, async () => {
    const { unit, floats, free } = await multiplier(count);
    for (const [m, n, k] of cases)
      for (const variant of [0, 1, 2, 3, 4, 5, 6, 7]) {
        const [transposeA, transposeB, accumulate] = [variant & 1, variant & 2, (variant & 4) > 0];
        const a = free / 4;
        const b = a + m * k;
        const c = b + k * n;
        fill(floats, a, m * k + k * n + m * n);
        const before = floats.slice(c, c + m * n);
        unit.run(
          { address: 4 * a, row: transposeA ? 1 : k, column: transposeA ? m : 1 },
          { address: 4 * b, row: transposeB ? 1 : n, column: transposeB ? k : 1 },
          { address: 4 * c, row: n, column: 1 },
          { m, n, k, accumulate },
        );
        let wrong = 0;
        for (let i = 0; i < m; i++)
          for (let j = 0; j < n; j++) {
            let sum = accumulate ? before[i * n + j]! : 0;
            for (let l = 0; l < k; l++)
              sum +=
                floats[a + (transposeA ? l * m + i : i * k + l)]! *
                floats[b + (transposeB ? j * k + l : l * n + j)]!;
            if (sum !== floats[c + i * n + j]) wrong++;
          }
        expect(wrong, `${m} x ${n} x ${k}, variant ${variant}`).toBe(0);
      }
  });

for (const count of [1, 2, 3])
  test(`heads inside rows are read and written where they lie, with ${count} thread(s)`, async () => {
    const { unit, floats, free } = await multiplier(count);
    // Large and square enough for the threads.
    const [batch, time, heads, size] = [2, 130, 2, 160];
    const width = heads * size;
    const q = free / 4;
    const scores = q + batch * time * width;
    const context = scores + batch * heads * time * time;
    fill(floats, q, batch * time * width);
    const inside = (at: number): Matrices => ({
      ...{ address: 4 * at, row: width, column: 1 },
      ...{ outer: time * width, inner: size },
    });
    const ofScores: Matrices = {
      ...{ address: 4 * scores, row: time, column: 1 },
      ...{ outer: heads * time * time, inner: time * time },
    };
    const shape = { m: time, outer: batch, inner: heads };
    for (const accumulate of [false, true])
      unit.run(inside(q), { ...inside(q), row: 1, column: width }, ofScores, {
        ...{ ...shape, n: time, k: size, accumulate },
      });
    unit.run(ofScores, inside(q), inside(context), { ...shape, n: size, k: time });
    let wrong = 0;
    const at = (x: number, i: number, h: number, d: number): number => (x * time + i) * width + h * size + d;
    for (let x = 0; x < batch; x++)
      for (let h = 0; h < heads; h++)
        for (let i = 0; i < time; i++) {
          const row = scores + ((x * heads + h) * time + i) * time;
          for (let j = 0; j < time; j++) {
            let sum = 0;
            for (let d = 0; d < size; d++) sum += floats[q + at(x, i, h, d)]! * floats[q + at(x, j, h, d)]!;
            if (floats[row + j] !== 2 * sum) wrong++;
          }
          for (let d = 0; d < size; d++) {
            let sum = 0;
            for (let j = 0; j < time; j++) sum += floats[row + j]! * floats[q + at(x, j, h, d)]!;
            if (Math.abs(floats[context + at(x, i, h, d)]! - sum) > 1e-6 * Math.abs(sum)) wrong++;
          }
        }
    expect(wrong).toBe(0);
  });

test('however many threads there are, a product has no more parts than a round takes', () => {
  const memory = new webAssembly.Memory({ initial: 600 });
  const parts: number[] = [];
  const many = {
    ...{ count: 40, freeAt: 0, reserve: () => undefined },
    floats: () => new Float32Array(memory.buffer),
    run: (jobs: readonly unknown[]) => void parts.push(jobs.length),
  } as unknown as ProductThreads;
  const unit = new Multiplier(memory, () => 64, many);
  const [m, n, k, outer] = [128, 128, 256, 66];
  unit.run(
    { address: 0, row: k, column: 1, outer: m * k },
    { address: 4 * outer * m * k, row: n, column: 1, outer: k * n },
    { address: 8 * outer * m * k, row: n, column: 1, outer: m * n },
    { m, n, k, outer },
  );
  expect(parts[0]).toBeLessThanOrEqual(64);
});

test('the number of threads does not change a bit of the result', async () => {
  const [m, n, k] = [258, 131, 300];
  const results: number[][] = [];
  for (const count of [1, 2, 3]) {
    const { unit, floats, free } = await multiplier(count);
    const [a, c] = [free / 4, free / 4 + m * k + k * n];
    for (let i = 0; i < m * k + k * n; i++) floats[a + i] = Math.sin(i * 12.9898);
    for (const [rows, columns] of [
      [m, n],
      [n, m],
    ] as const)
      unit.run(
        { address: 4 * a, row: k, column: 1 },
        { address: 4 * (a + rows * k), row: columns, column: 1 },
        { address: 4 * c, row: columns, column: 1 },
        { m: rows, n: columns, k },
      );
    results.push([...floats.slice(c, c + m * n)]);
  }
  expect(results[1]).toEqual(results[0]);
  expect(results[2]).toEqual(results[0]);
});
