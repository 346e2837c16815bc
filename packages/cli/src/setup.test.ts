import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { noteData } from './setup.js';

test('rows that do not reach the model as they are: cut ones and empty texts are counted', () => {
  const said = (texts: readonly string[], cut: number): string => {
    const error = new PassThrough({ encoding: 'utf8' });
    noteData({ out: new PassThrough(), error }, texts.map((text) => ({ text })) as never, cut, 24);
    return (error.read() as string | null) ?? '';
  };
  expect(said(['good', ' ', ''], 1)).toBe('1 of 3 rows are cut to 24 tokens\n2 of 3 texts are empty\n');
  expect(said(['good'], 0)).toBe('');
});
