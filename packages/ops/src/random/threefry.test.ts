import { expect, test } from 'vitest';
import { fillWords, threefry, type Key } from './threefry.js';

const hex = (words: number[]): string => words.map((word) => word.toString(16).padStart(8, '0')).join(' ');

// The known answers of the authors' Random123 library: rounds, key, counter, block.
test.each([
  [13, [0, 0], [0, 0], '9d1c5ec6 8bd50731'],
  [13, [0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], 'fd36d048 2d17272c'],
  [13, [0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], 'ba3e4725 f27d669e'],
  [20, [0, 0], [0, 0], '6b200159 99ba4efe'],
  [20, [0xffffffff, 0xffffffff], [0xffffffff, 0xffffffff], '1cb996fc bb002be7'],
  [20, [0x13198a2e, 0x03707344], [0x243f6a88, 0x85a308d3], 'c4923a9c 483df7a0'],
] as [number, Key, [number, number], string][])(
  'threefry, %i rounds, key %j, counter %j',
  (rounds, key, counter, block) => {
    expect(hex(threefry(key, counter[0], counter[1], rounds))).toBe(block);
  },
);

test.each([[[]], [[1]], [[7]], [[0, 3]], [[3, 5]], [[3, 4, 5]], [[5, 3, 4, 2]], [[3, 2, 3, 2, 5]]])(
  'fillWords of %j: the blocks of the counters (65,536 place + feature, pair + 2^15 plane), a word for each row of the pair',
  (shape) => {
    const key: Key = [0x9e3779b9, 0xfffffff0];
    const words = new Int32Array(shape.reduce((product, size) => product * size, 1));
    fillWords(words, shape, key);
    const coordinates = (at: number): number[] => {
      const found: number[] = [];
      for (const size of shape.toReversed()) {
        found.unshift(at % size);
        at = Math.floor(at / size);
      }
      return found;
    };
    const expected = Array.from(words, (_, at) => {
      const [row = 0, ...inside] = coordinates(at);
      const feature = inside.pop() ?? 0;
      const place = inside.pop() ?? 0;
      const plane = inside.reduce((all, i, axis) => all * shape[axis + 1]! + i, 0);
      return threefry(key, place * 65_536 + feature, (row >> 1) + plane * 32_768)[row % 2];
    });
    expect([...words].map((word) => word >>> 0)).toEqual(expected);
  },
);

test('half of the bits change with any one bit of the key or the counter', () => {
  const flipped: number[] = [];
  for (let bit = 0; bit < 96; bit++) {
    const mask = [0, 0, 0];
    mask[bit >> 5] = 1 << (bit & 31);
    let changed = 0;
    for (let c = 0; c < 200; c++) {
      const before = threefry([c, 12345], c * 77, 0);
      const after = threefry([(c ^ mask[0]!) >>> 0, (12345 ^ mask[1]!) >>> 0], (c * 77) ^ mask[2]!, 0);
      changed += ones(before[0] ^ after[0]) + ones(before[1] ^ after[1]);
    }
    flipped.push(changed / 200 / 64);
  }
  // 12,800 bits each: a deviation of 0.0044; 96 trials within 4.5 deviations.
  expect(Math.min(...flipped)).toBeGreaterThan(0.48);
  expect(Math.max(...flipped)).toBeLessThan(0.52);
});

function ones(word: number): number {
  let count = 0;
  for (let rest = word >>> 0; rest !== 0; rest >>>= 1) count += rest & 1;
  return count;
}
