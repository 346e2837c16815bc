import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { fixture } from '../parity/harness.js';
import { capture, type Captured } from './capture.js';
import { CERTIFIED_CASES } from './cases.js';
import { TOLERANCE } from './certificate.js';
import { STORED_FAMILY } from './families.js';

type Summaries = Readonly<Record<string, readonly [norm: number, product: number]>>;

/** What PyTorch computed, by `npm run bench -- gradients --store`: a tensor's name by its place, its norm, its product with the cosines of 0, 1, 2 ... */
const golden = fixture<{
  names: string[];
  cases: Record<
    string,
    Record<'start' | 'gradient' | 'kept', [name: number, norm: number, product: number][]>
  >;
}>('gradients');

beforeAll(() => tf.setBackend('cpu'));

test('every certified method is stored', () => {
  expect(Object.keys(golden.cases).sort()).toEqual(CERTIFIED_CASES.map(({ name }) => name).sort());
});

test.each(CERTIFIED_CASES)(
  '$name: starting values, the third gradient and the kept weights are those of PyTorch',
  async (one) => {
    const captured = await capture(STORED_FAMILY, one);
    const wanted = (part: 'start' | 'gradient' | 'kept'): Summaries =>
      Object.fromEntries(golden.cases[one.name]![part].map(([name, ...pair]) => [golden.names[name]!, pair]));
    const below = (prefix: string): Summaries => summaries(captured, prefix);
    expectSame(wanted('gradient'), below('gradients/3/'));
    expectSame(wanted('kept'), below('final/'));
    const [start, begun] = [wanted('start'), below('weights/0/')];
    expectSame(start, Object.fromEntries(Object.keys(start).map((name) => [name, begun[name]!])));
  },
);

/** The same tensors, each as far as `TOLERANCE`; one that only rounding keeps from zero, relative to a hundredth of the largest. */
function expectSame(wanted: Summaries, got: Summaries): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
  const most = Math.max(...Object.values(wanted).map(([norm]) => norm));
  for (const [name, [norm, product]] of Object.entries(wanted)) {
    const scale = norm < 1e-6 * most ? most / 100 : norm;
    const apart = Math.max(Math.abs(got[name]![0] - norm), Math.abs(got[name]![1] - product));
    expect(apart / scale, name).toBeLessThan(TOLERANCE);
  }
}

function summaries({ tensors }: Captured, prefix: string): Summaries {
  return Object.fromEntries(
    [...tensors]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, { data }]) => {
        const values = Array.from(data);
        const norm = Math.sqrt(values.reduce((sum, value) => sum + value ** 2, 0));
        return [
          name.slice(prefix.length),
          [norm, values.reduce((sum, value, i) => sum + value * Math.cos(i), 0)],
        ];
      }),
  );
}
