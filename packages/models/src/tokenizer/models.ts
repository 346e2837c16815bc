import { bpe } from './bpe.js';
import {
  build,
  type Component,
  isCount,
  isString,
  isVocabulary,
  option,
  TokenizerFileError,
} from './tokenizer-file.js';
import { characterCount, characterLength } from './unicode.js';
import { unigram } from './unigram.js';

/** What turns a piece of text into ids. */
export interface TokenModel {
  readonly vocabulary: ReadonlyMap<string, number>;
  /** How many entries the vocabulary has; ids given later count from here. */
  readonly size: number;
  tokenize(piece: string): number[];
}

/** The model that a tokenizer.json describes. One of before 2021 has no type: it shows by its keys. */
export function tokenModel(component: Component): TokenModel {
  return build('model', MODELS, { ...component, type: component.type ?? untyped(component) });
}

const MODELS: Readonly<Record<string, (component: Component) => TokenModel>> = {
  BPE: bpe,
  Unigram: unigram,
  WordLevel: wordLevel,
  WordPiece: wordPiece,
};

function untyped(component: Component): string {
  if ('merges' in component) return 'BPE';
  if (Array.isArray(component.vocab)) return 'Unigram';
  return 'continuing_subword_prefix' in component ? 'WordPiece' : 'WordLevel';
}

/** Words as they stand. */
function wordLevel(component: Component): TokenModel {
  const vocabulary = new Map(Object.entries(option(component, 'vocab', isVocabulary)));
  const unknown = requiredId(vocabulary, option(component, 'unk_token', isString));
  return {
    vocabulary,
    size: vocabulary.size,
    tokenize: (piece) => [vocabulary.get(piece) ?? unknown],
  };
}

/** The longest piece of the vocabulary first, then the longest of the rest (Wu et al., 2016); all or nothing. */
function wordPiece(component: Component): TokenModel {
  const vocabulary = new Map(Object.entries(option(component, 'vocab', isVocabulary)));
  const unknown = requiredId(vocabulary, option(component, 'unk_token', isString));
  const prefix = option(component, 'continuing_subword_prefix', isString);
  const longest = option(component, 'max_input_chars_per_word', isCount);
  const tokenize = (word: string): number[] => {
    if (characterCount(word) > longest) return [unknown];
    const ids: number[] = [];
    for (let start = 0; start < word.length;) {
      let end = word.length;
      let id: number | undefined;
      while (end > start) {
        id = vocabulary.get(start === 0 ? word.slice(0, end) : prefix + word.slice(start, end));
        if (id !== undefined) break;
        end -= end - start > 1 ? characterLength(word, end - 2) : 1;
      }
      if (id === undefined) return [unknown];
      ids.push(id);
      start = end;
    }
    return ids;
  };
  return { vocabulary, size: vocabulary.size, tokenize };
}

function requiredId(vocabulary: ReadonlyMap<string, number>, token: string): number {
  const id = vocabulary.get(token);
  if (id === undefined) throw new TokenizerFileError(`the vocabulary lacks the token ${token}`);
  return id;
}
