import { expect, test } from 'vitest';
import { drawLayout } from './layout.js';
import { fillWords } from './threefry.js';

const words = (shape: number[]): Int32Array => {
  const result = new Int32Array(shape.reduce((product, size) => product * size, 1));
  fillWords(result, shape, [1, 2]);
  return result;
};

/** What a larger draw has at the places that a smaller one has too. */
function cut(large: number[], small: number[]): Int32Array {
  const values = words(large);
  return words(small).map((_, at) => {
    let [rest, from, stride] = [at, 0, 1];
    for (let axis = small.length - 1; axis >= 0; axis--) {
      from += (rest % small[axis]!) * stride;
      rest = Math.floor(rest / small[axis]!);
      stride *= large[axis]!;
    }
    return values[from]!;
  });
}

test.each([
  ['rows', [16, 6], [5, 6]],
  ['rows of hidden states', [16, 8, 6], [3, 8, 6]],
  ['padding tokens', [4, 32, 6], [4, 7, 6]],
  ['rows and padding tokens', [8, 32, 6], [3, 7, 6]],
  ['the keys and queries of attention', [4, 3, 16, 16], [3, 3, 9, 9]],
  ['numbers for each row', [16], [7]],
])('more %s change no draw of those there are', (_, large, small) => {
  expect(cut(large, small)).toEqual(words(small));
});

test('no two elements share a word', () => {
  for (const shape of [[100_003], [500, 257], [8, 65, 130], [6, 5, 40, 40], [3, 70_000, 2], [2, 2, 66_000]]) {
    const seen = new Set(words(shape));
    const size = shape.reduce((product, length) => product * length, 1);
    // By chance n^2 / 2^33 words meet.
    expect(size - seen.size).toBeLessThan(size ** 2 / 2 ** 33 + 6 * Math.sqrt(size ** 2 / 2 ** 33) + 1);
  }
});

test('what would share a counter is refused', () => {
  expect(() => drawLayout([70_000, 2, 4, 4])).toThrow('A draw of shape [70000, 2, 4, 4] is too large');
  expect(() => drawLayout([2, 40_000, 4, 4])).toThrow('too large');
  expect(drawLayout([1_000_000, 4, 4]).rows).toBe(1_000_000);
  expect(drawLayout([4, 100_000, 8])).toMatchObject({ places: 100_000, planeStride: 2 });
});
