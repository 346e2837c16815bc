import { expect, test } from 'vitest';
import { laneKernels } from './lane-kernels.js';
import { LaneUnit } from './lanes.js';
import { webAssembly } from './webassembly.js';

function unit(): { lanes: LaneUnit<keyof typeof laneKernels>; floats: Float32Array } {
  const memory = new webAssembly.Memory({ initial: 4 });
  return { lanes: new LaneUnit(memory, () => 64, laneKernels), floats: new Float32Array(memory.buffer) };
}

const inputAt = 8192;
const outputAt = 65536;

function apply(name: 'exponential' | 'gelu', values: readonly number[]): number[] {
  const { lanes, floats } = unit();
  floats.set(values, inputAt / 4);
  floats[outputAt / 4 + values.length] = 77;
  lanes.run(name, values.length, [inputAt], [outputAt]);
  expect(floats[outputAt / 4 + values.length]).toBe(77);
  return [...floats.slice(outputAt / 4, outputAt / 4 + values.length)];
}

test('the exponential is right to 2e-7 of its value from -87 to 88', () => {
  const values = Array.from({ length: 1751 }, (_, i) => Math.fround(-87 + i / 10));
  apply('exponential', values).forEach((got, i) => {
    expect(Math.abs(got / Math.exp(values[i]!) - 1), `e^${values[i]}`).toBeLessThan(2.5e-7);
  });
});

test('of what is far below zero the exponential is zero, of no number no number', () => {
  expect(apply('exponential', [-1e4, -Infinity, 0, -87.1, NaN])).toEqual([0, 0, 1, 0, NaN]);
});

test('gelu keeps large values and kills large negative ones', () => {
  expect(apply('gelu', [0, 10, -10, 1, -1])).toEqual(
    [0, 10, 0, 0.8413447461, -0.1586552539].map((value): unknown => expect.closeTo(value, 6)),
  );
});

test.each([1, 3, 4, 5, 11])(
  'adamw on %i elements follows its equations and leaves what follows alone',
  (count) => {
    const { lanes, floats } = unit();
    const at = (array: number): number => inputAt + 1024 * array;
    const value = (array: number, i: number): number => Math.fround(((i * 7 + array * 3) % 11) / 10 + 0.05);
    for (let array = 0; array < 7; array++)
      for (let i = 0; i <= count; i++) floats[at(array) / 4 + i] = value(array, i);
    const numbers = [0.9, 0.1, 0.99, 0.01, 1e-8, 0.02, 1.5, 0.001];
    lanes.run('adamw', count, [at(0), at(1), at(2), at(3)], [at(4), at(5), at(6)], numbers);
    for (let i = 0; i < count; i++) {
      const [g, m, v, p] = [0, 1, 2, 3].map((array) => value(array, i)) as [number, number, number, number];
      const newM = 0.9 * m + 0.1 * g;
      const newV = 0.99 * v + 0.01 * g * g;
      expect(floats[at(4) / 4 + i]).toBeCloseTo(
        (-0.02 * newM) / (1.5 * Math.sqrt(newV) + 1e-8) - 0.001 * p,
        6,
      );
      expect(floats[at(5) / 4 + i]).toBeCloseTo(newM, 6);
      expect(floats[at(6) / 4 + i]).toBeCloseTo(newV, 6);
    }
    for (let array = 4; array < 7; array++) expect(floats[at(array) / 4 + count]).toBe(value(array, count));
  },
);
