import { expect, test } from 'vitest';
import { unigram } from './unigram.js';

test('an unknown stretch of any length falls back to its bytes', () => {
  const bytes = Array.from(
    { length: 256 },
    (_, byte) => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0] as const,
  );
  const vocab = [['<unk>', 0], ...bytes];
  const model = unigram({ type: 'Unigram', vocab, unk_id: 0, byte_fallback: true });
  expect(model.tokenize('é')).toEqual([1 + 0xc3, 1 + 0xa9]);
  expect(model.tokenize('é'.repeat(100_000))).toHaveLength(200_000);
});
