import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { diskFolder } from '../disk-folder.js';
import { loadTokenizer } from './load-tokenizer.js';
import { tokenizerJson } from './read-tokenizer.js';
import { type Encoding, type Texts, Tokenizer } from './tokenizer.js';
import type { TokenizerFile } from './tokenizer-file.js';

type Row = [inputIds: number[], tokenTypeIds: number[] | 0];

interface Case {
  readonly files: Readonly<Record<string, unknown>>;
  readonly expected: {
    readonly pad: number | null;
    readonly paddingSide: string;
    readonly maxLength: number | null;
    readonly size: number;
    readonly texts: readonly Row[];
    readonly pairs: readonly Row[];
    readonly cut: readonly (readonly Row[])[];
    readonly cutTexts: readonly Row[];
    readonly words: readonly [number[], number[]][] | null;
  };
}

const fixtures = fileURLToPath(new URL('../../fixtures/tokenizers/', import.meta.url));
const { texts, pairs, lengths, words } = JSON.parse(readFileSync(`${fixtures}texts.json`, 'utf8')) as {
  texts: string[];
  pairs: [string, string][];
  lengths: number[];
  words: string[][];
};
const root = mkdtempSync(join(tmpdir(), 'tokenizers-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** What was encoded, beside the reference's, where they differ. */
function differences(
  tokenizer: Tokenizer,
  examples: readonly Texts[],
  rows: readonly Row[],
  maxLength: number,
): unknown[] {
  return tokenizer.encode(examples, { maxLength }).flatMap((encoding: Encoding, i) => {
    const [inputIds, types] = rows[i]!;
    const wanted = { inputIds, tokenTypeIds: types === 0 ? inputIds.map(() => 0) : types };
    const same = JSON.stringify(encoding) === JSON.stringify(wanted);
    return same
      ? []
      : [
          {
            text: examples[i],
            maxLength,
            got: encoding.inputIds.join(),
            wanted: inputIds.join(),
            types,
            gotTypes: encoding.tokenTypeIds,
          },
        ];
  });
}

for (const file of readdirSync(`${fixtures}cases`)) {
  const { files, expected } = JSON.parse(readFileSync(`${fixtures}cases/${file}`, 'utf8')) as Case;
  test(`${file.replace('.json', '')}: every text, pair and cut as the reference has them`, async () => {
    const folder = mkdtempSync(join(root, 'case-'));
    for (const [name, content] of Object.entries(files))
      writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content));
    const tokenizer = await loadTokenizer(folder);
    expect(tokenizer.paddingSide).toBe(expected.paddingSide);
    expect(tokenizer.padId).toBe(expected.pad ?? 0);
    expect(tokenizer.maxLength ?? null).toBe(expected.maxLength);
    expect(tokenizer.size).toBe(expected.size);
    expect(expected.texts).toHaveLength(texts.length);
    expect(differences(tokenizer, texts, expected.texts, Infinity)).toEqual([]);
    expect(differences(tokenizer, pairs, expected.pairs, Infinity)).toEqual([]);
    expect(differences(tokenizer, texts, expected.cutTexts, 9)).toEqual([]);
    for (const [i, rows] of expected.cut.entries())
      for (const [j, row] of rows.entries())
        expect(differences(tokenizer, [pairs[i]!], [row], lengths[j]!)).toEqual([]);
    if (!('tokenizer.json' in files)) {
      writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(await tokenizerJson(diskFolder(folder))));
      for (const name of ['vocab.txt', 'vocab.json', 'merges.txt'])
        rmSync(join(folder, name), { force: true });
      const again = await loadTokenizer(folder);
      expect(differences(again, texts, expected.texts, Infinity)).toEqual([]);
      expect(differences(again, pairs, expected.pairs, Infinity)).toEqual([]);
    }
    if (!expected.words) {
      // The reference glues words together here; they are what they are in a text, after a space.
      const idsOf = (row: readonly string[], place: number): number[] => {
        const [encoding] = tokenizer.encodeWords([row]);
        return encoding!.inputIds.filter((_, token) => encoding!.words[token] === place);
      };
      const [film] = words as [string[]];
      for (const [place, word] of film.entries())
        expect(idsOf(film, place)).toEqual(idsOf([place > 0 ? ` ${word}` : word], 0));
      expect(idsOf(film, 1)).not.toEqual(idsOf([film[1]!], 0));
      return;
    }
    const split = tokenizer.encodeWords(words, { maxLength: Infinity });
    expect(split.map((encoding) => [encoding.inputIds, encoding.words])).toEqual(expected.words);
  });
}

// `Tokenizer.from_str(...).encode(text).ids` of tokenizers 0.23.
test.each<[string, number[]]>([
  ['\ufeffbom a', [0, 5, 184, 72, 85, 2]],
  ['\ufeff\u200b x', [0, 5, 31, 2]],
  ['\u200bzero', [0, 5, 63, 44, 14, 2]],
  ['\0null', [0, 5, 422, 12, 34, 11, 11, 2]],
  [' \ufeffb', [0, 75, 2]],
])('%j: where the replacements remove the first character the next is the first', (text, ids) => {
  const { files } = JSON.parse(readFileSync(`${fixtures}cases/unigram-bytes.json`, 'utf8')) as {
    files: Record<string, string | TokenizerFile>;
  };
  const file = files['tokenizer.json']!;
  const tokenizer = new Tokenizer(typeof file === 'string' ? (JSON.parse(file) as TokenizerFile) : file);
  expect(tokenizer.encode([text])[0]!.inputIds).toEqual(ids);
});
