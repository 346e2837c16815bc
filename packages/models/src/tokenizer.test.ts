import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadTokenizer } from './tokenizer.js';

const folder = mkdtempSync(join(tmpdir(), 'tokenizer-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const VOCABULARY = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'the', 'cat', 'sat', '##s', '.', 'cafe'];
writeFileSync(join(folder, 'vocab.txt'), VOCABULARY.join('\n') + '\n');

const ids = (text: string): number[] => text.split(' ').map((token) => VOCABULARY.indexOf(token));

test('a vocab.txt is enough for a BERT: lower case, accents off, word pieces, special tokens, segments', async () => {
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.padId).toBe(0);
  expect(tokenizer.size).toBe(VOCABULARY.length);
  const [single, pair, unknown] = tokenizer.encode(['The CATS sat.', ['the Café', 'cat'], 'dog']);
  expect(single).toEqual({
    inputIds: ids('[CLS] the cat ##s sat . [SEP]'),
    tokenTypeIds: [0, 0, 0, 0, 0, 0, 0],
  });
  expect(pair).toEqual({ inputIds: ids('[CLS] the cafe [SEP] cat [SEP]'), tokenTypeIds: [0, 0, 0, 0, 1, 1] });
  expect(unknown!.inputIds).toEqual(ids('[CLS] [UNK] [SEP]'));
});

test('truncation keeps the special tokens and shortens the longer text first', async () => {
  const tokenizer = await loadTokenizer(folder);
  const cut = (texts: string | [string, string], maxLength: number): number[] =>
    tokenizer.encode([texts], { maxLength })[0]!.inputIds;
  expect(cut('the cat sat .', 4)).toEqual(ids('[CLS] the cat [SEP]'));
  expect(cut(['the cat sat .', 'cat'], 6)).toEqual(ids('[CLS] the cat [SEP] cat [SEP]'));
  expect(cut(['the cat sat .', '. sat cat the'], 8)).toEqual(ids('[CLS] the cat [SEP] . sat cat [SEP]'));
  expect(() => cut('the', 2)).toThrow(/maxLength must leave room .* got 2/);
});

test('a folder without a tokenizer, and a vocabulary without [SEP], are refused', async () => {
  const other = mkdtempSync(join(folder, 'other-'));
  await expect(loadTokenizer(other)).rejects.toThrow(/no tokenizer\.json/);
  writeFileSync(join(other, 'vocab.txt'), '[PAD]\n[CLS]\n');
  await expect(loadTokenizer(other)).rejects.toThrow(/vocab\.txt: the vocabulary lacks the token \[SEP\]/);
});
