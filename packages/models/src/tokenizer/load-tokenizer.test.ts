import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { loadTokenizer } from './load-tokenizer.js';

const root = mkdtempSync(join(tmpdir(), 'tokenizer-'));
const folder = join(root, 'bert');
mkdirSync(folder);
afterAll(() => {
  rmSync(root, { recursive: true });
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

test('a damaged tokenizer.json is named', async () => {
  const other = mkdtempSync(join(root, 'damaged-'));
  writeFileSync(join(other, 'tokenizer.json'), '{"model":{"type":"Other"}}');
  await expect(loadTokenizer(other)).rejects.toThrow(/damaged-\w+: the tokenizer cannot be read: /);
});

test('a folder without a tokenizer, and a vocabulary without [SEP], are refused', async () => {
  const other = mkdtempSync(join(root, 'other-'));
  await expect(loadTokenizer(other)).rejects.toThrow(/no tokenizer\.json/);
  writeFileSync(join(other, 'vocab.txt'), '[PAD]\n[UNK]\n[CLS]\n');
  await expect(loadTokenizer(other)).rejects.toThrow(
    /other-\w+: .*the vocabulary lacks the token \[SEP\].*sep_token/,
  );
});

test('a RoBERTa has one token type', async () => {
  const folder = mkdtempSync(join(root, 'roberta-'));
  const vocab = Object.fromEntries(
    ['<s>', '<pad>', '</s>', '<unk>', 'a', 'b', 'ab', '\u0120'].map((token, id) => [token, id]),
  );
  const file = {
    added_tokens: ['<s>', '<pad>', '</s>', '<unk>'].map((content, id) => ({ id, content, special: true })),
    normalizer: null,
    decoder: { type: 'ByteLevel' },
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true },
    post_processor: {
      type: 'RobertaProcessing',
      sep: ['</s>', 2],
      cls: ['<s>', 0],
      trim_offsets: true,
      add_prefix_space: false,
    },
    model: { type: 'BPE', vocab, merges: ['a b'], unk_token: '<unk>' },
  };
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(file));
  writeFileSync(
    join(folder, 'tokenizer_config.json'),
    JSON.stringify({ tokenizer_class: 'RobertaTokenizer', pad_token: '<pad>' }),
  );
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.padId).toBe(1);
  expect(tokenizer.encode([['ab', 'ba']])).toEqual([
    { inputIds: [0, 6, 2, 2, 5, 4, 2], tokenTypeIds: [0, 0, 0, 0, 0, 0, 0] },
  ]);
});

test('classes that are BERT by another name tell the texts of a pair apart', async () => {
  const other = mkdtempSync(join(root, 'dpr-'));
  writeFileSync(join(other, 'vocab.txt'), VOCABULARY.join('\n'));
  const typesOf = async (name: string): Promise<number[]> => {
    writeFileSync(join(other, 'tokenizer_config.json'), JSON.stringify({ tokenizer_class: name }));
    return (await loadTokenizer(other)).encode([['the', 'the']])[0]!.tokenTypeIds;
  };
  const wanted = await typesOf('BertTokenizer');
  expect(wanted).toContain(1);
  for (const name of ['DPRQuestionEncoderTokenizerFast', 'LayoutLMTokenizer', 'SqueezeBertTokenizer'])
    expect(await typesOf(name)).toEqual(wanted);
});

test('a folder that cannot be read is named with what to do', async () => {
  const file = (content: object): string => {
    const other = mkdtempSync(join(root, 'refused-'));
    writeFileSync(join(other, 'tokenizer.json'), JSON.stringify(content));
    return other;
  };
  const model = {
    type: 'WordPiece',
    unk_token: 'a',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 9,
    vocab: { a: 0 },
  };
  await expect(loadTokenizer(file({ model, normalizer: { type: 'Rot13' } }))).rejects.toThrow(
    /refused-\w+: the tokenizer cannot be read: the normalizer "Rot13" is not known; known are BertNormalizer, /,
  );
  await expect(loadTokenizer(file({ model: { ...model, unk_token: 'b' } }))).rejects.toThrow(
    /lacks the token b/,
  );
  await expect(
    loadTokenizer(file({ model: { type: 'BPE', vocab: { a: 0 }, merges: ['a b'] } })),
  ).rejects.toThrow(/BPE: the merge of a and b needs b, which vocab lacks/);
  await expect(
    loadTokenizer(file({ model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } })),
  ).rejects.toThrow(/dropout must be null, got 0\.1/);
  for (const token of [null, 'a', { content: 5 }, { content: 'a', id: -1 }, { content: 'a', lstrip: 1 }])
    await expect(loadTokenizer(file({ model, added_tokens: [token] }))).rejects.toThrow(
      /added_tokens: .* is not an added token/,
    );
  await expect(loadTokenizer(file({ model, added_tokens: 3 }))).rejects.toThrow(/3 is not an added token/);
  await expect(loadTokenizer(file({ model: { type: 'Unigram', vocab: [['a', 0], 5] } }))).rejects.toThrow(
    /the vocabulary must hold ids by token, or be a list of tokens with scores/,
  );
  const normalizer = { type: 'Precompiled', precompiled_charsmap: '$' };
  await expect(loadTokenizer(file({ model, normalizer }))).rejects.toThrow(/precompiled_charsmap is damaged/);
  await expect(loadTokenizer(file([]))).rejects.toThrow(/tokenizer\.json: wanted an object, got \[\]/);
  const spiece = mkdtempSync(join(root, "spi'ece-"));
  writeFileSync(join(spiece, 'spm.model'), 'x');
  await expect(loadTokenizer(spiece)).rejects.toThrow(
    /spm\.model but no tokenizer\.json; python3 -c '.*spi'\\''ece-.*save_pretrained/,
  );
  const japanese = mkdtempSync(join(root, 'japanese-'));
  writeFileSync(join(japanese, 'vocab.txt'), VOCABULARY.join('\n'));
  writeFileSync(join(japanese, 'tokenizer_config.json'), '{"tokenizer_class":"BertJapaneseTokenizer"}');
  await expect(loadTokenizer(japanese)).rejects.toThrow(/a BertJapaneseTokenizer needs a tokenizer\.json/);
  writeFileSync(join(japanese, 'tokenizer_config.json'), '{"tokenizer_class":"constructor"}');
  await expect(loadTokenizer(japanese)).rejects.toThrow(/a constructor needs a tokenizer\.json/);
});

test('texts that are not well-formed, very long ones and none at all are encoded', async () => {
  const tokenizer = await loadTokenizer(folder);
  expect(tokenizer.encode([])).toEqual([]);
  expect(tokenizer.encode(['\ud800 the \udc00'])[0]!.inputIds).toEqual(ids('[CLS] the [SEP]'));
  const long = 'the cat '.repeat(50_000);
  expect(tokenizer.encode([long], { maxLength: 5 })[0]!.inputIds).toEqual(ids('[CLS] the cat the [SEP]'));
});
