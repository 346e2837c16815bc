import { parseJsonFile } from '../checkpoint/checkpoint.js';
import { type ModelFolder, pathIn, readText } from '../model-folder.js';
import { assembleConfig, assembleTokenizer } from './assembled-tokenizer.js';
import { sentencePieceAlone, sentencePieceHint } from './sentence-piece.js';
import { Tokenizer } from './tokenizer.js';
import { type Component, isObject, isString, isVocabulary, type TokenizerFile } from './tokenizer-file.js';
import type { TokenizerParts } from './tokenizer-parts.js';

/**
 * Reads the tokenizer of a model's folder as transformers 5 does: tokenizer.json, or vocab.txt, or vocab.json with
 * merges.txt; beside them tokenizer_config.json, special_tokens_map.json, added_tokens.json and config.json. No host is
 * asked.
 */
export async function readTokenizer(folder: ModelFolder): Promise<Tokenizer> {
  const parts = await readParts(folder);
  return named(folder, () => {
    const { file, settings } = assembleTokenizer(parts);
    return new Tokenizer(file, settings);
  });
}

/** The whole tokenizer.json of a folder, made from its vocab.txt, or vocab.json and merges.txt, where it has none. */
export async function tokenizerJson(folder: ModelFolder): Promise<TokenizerFile> {
  const parts = await readParts(folder);
  return named(folder, () => assembleTokenizer(parts).file);
}

/** What a tokenizer_config.json beside {@link tokenizerJson} has to say, from all files of a folder. */
export async function tokenizerConfig(folder: ModelFolder): Promise<Record<string, unknown>> {
  const parts = await readParts(folder);
  return named(folder, () => assembleConfig(parts));
}

function named<T>({ name }: ModelFolder, make: () => T): T {
  try {
    return make();
  } catch (error) {
    throw new Error(`${name}: the tokenizer cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readParts(folder: ModelFolder): Promise<TokenizerParts> {
  const json = async (name: string): Promise<Component | undefined> => {
    const text = await readText(folder, name);
    if (text === undefined) return undefined;
    const path = pathIn(folder, name);
    const value = parseJsonFile(text, path);
    if (isObject(value)) return value;
    throw new Error(`${path}: wanted an object, got ${JSON.stringify(value).slice(0, 60)}`);
  };
  const lines = async (name: string): Promise<string[] | undefined> => {
    const all = (await readText(folder, name))?.split(/\r?\n/);
    return all?.at(-1) === '' ? all.slice(0, -1) : all;
  };
  const config = await json('config.json');
  const file = await json('tokenizer.json');
  const [words, vocabulary, merges] = file
    ? []
    : [await lines('vocab.txt'), await json('vocab.json'), await lines('merges.txt')];
  if (file && !isObject(file.model))
    throw new Error(`${pathIn(folder, 'tokenizer.json')}: the tokenizer cannot be read: it has no model`);
  if (vocabulary && !isVocabulary(vocabulary))
    throw new Error(`${pathIn(folder, 'vocab.json')}: wanted ids by token`);
  if (!file && !words && !(vocabulary && merges))
    throw new Error(missing(folder.name, (await folder.list()) ?? []));
  const text = (value: unknown): string | undefined => (isString(value) ? value : undefined);
  return {
    modelType: text(config?.model_type),
    modelTokenizerClass: text(config?.tokenizer_class),
    config: (await json('tokenizer_config.json')) ?? {},
    file: file as unknown as TokenizerFile | undefined,
    specialTokens: await json('special_tokens_map.json'),
    addedTokens: await json('added_tokens.json'),
    vocabulary: words && !(vocabulary && merges) ? idsOf(words) : vocabulary,
    merges: vocabulary ? merges?.filter((line) => !line.startsWith('#version')) : undefined,
  };
}

/** The lines of a vocab.txt, without white space at their end, with their places; a later one of the same word counts. */
const idsOf = (words: readonly string[]): Record<string, number> =>
  Object.fromEntries(words.map((word, id) => [word.replace(/\p{White_Space}+$/u, ''), id]));

function missing(folder: string, names: readonly string[]): string {
  const model = sentencePieceAlone(names);
  return model === undefined
    ? `${folder}: there is no tokenizer.json (nor vocab.txt, nor vocab.json with merges.txt)`
    : `${folder}: ${sentencePieceHint(model, folder)}`;
}
