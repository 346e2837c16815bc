import { withoutRemoteCode } from '../remote-code.js';
import { AddedTokens } from './added-tokens.js';
import { ClassParts, type TokenizerClass } from './class-parts.js';
import type { TokenizerSettings } from './tokenizer.js';
import { TOKENIZER_CLASSES, tokenizerClassName } from './tokenizer-class.js';
import {
  type AddedToken,
  addedTokensOf,
  type Component,
  isObject,
  isScoredVocabulary,
  isString,
  isVocabulary,
  type TokenizerFile,
  TokenizerFileError,
} from './tokenizer-file.js';
import { contentOf, type SpecialTokens, specialTokens, type TokenizerParts } from './tokenizer-parts.js';
import type { Side } from './truncation.js';

/** A whole tokenizer.json, and what the other files of a folder say. */
export interface AssembledTokenizer {
  readonly file: TokenizerFile;
  readonly settings: TokenizerSettings;
}

/**
 * A folder's tokenizer as transformers 5 makes it: the classes of the encoders build theirs from the vocabulary and the
 * options of tokenizer_config.json, whatever else tokenizer.json says; every other class takes tokenizer.json as it is.
 * Added and special tokens are those of all files.
 */
export function assembleTokenizer(parts: TokenizerParts): AssembledTokenizer {
  const name = tokenizerClassName(parts);
  const Class = name === undefined ? undefined : TOKENIZER_CLASSES.get(name);
  if (!Class && !parts.file) throw new TokenizerFileError(`a ${name ?? 'tokenizer'} needs a tokenizer.json`);
  const special = specialTokens(parts, Class?.defaults ?? {});
  return {
    file: Class ? classFile(Class, parts, special) : completeFile(parts.file!, special),
    settings: settings(Class, parts, special),
  };
}

/**
 * A whole tokenizer_config.json, for programs that read it and tokenizer.json alone: the class, the names of special tokens, sides
 * and inputs of the model, each said. A class that only transformers 5 knows is the one that takes tokenizer.json as it is.
 */
export function assembleConfig(parts: TokenizerParts): Record<string, unknown> {
  const name = tokenizerClassName(parts);
  const Class = name === undefined ? undefined : TOKENIZER_CLASSES.get(name);
  const special = specialTokens(parts, Class?.defaults ?? {});
  const { padToken, paddingSide, truncationSide, tokenTypes } = settings(Class, parts, special);
  const tokens = [...special.named].map(([key, token]) => [key, contentOf(token)] as const);
  return {
    ...withoutRemoteCode(parts.config),
    ...(padToken !== undefined && { pad_token: padToken }),
    ...Object.fromEntries(tokens),
    tokenizer_class: Class ? name : 'PreTrainedTokenizerFast',
    padding_side: paddingSide,
    truncation_side: truncationSide,
    model_input_names: ['input_ids', ...(tokenTypes ? ['token_type_ids'] : []), 'attention_mask'],
  };
}

/** The file that a class builds. */
function classFile(Class: TokenizerClass, parts: TokenizerParts, special: SpecialTokens): TokenizerFile {
  let ids: (token: string) => number | undefined = () => undefined;
  const classParts = new ClassParts(parts, special, (token) => ids(token));
  const built = Class.build(classParts) as unknown as TokenizerFile;
  const vocabulary = vocabularyOf(built.model);
  const given = new Set(special.added.map(contentOf));
  for (const name of Class.needs) {
    const token = classParts.token(name);
    if (!vocabulary.has(token) && !given.has(token))
      throw new TokenizerFileError(
        `the vocabulary lacks the token ${token}; tokenizer_config.json may name another ${name}`,
      );
  }
  const added = new AddedTokens(vocabulary, sizeOf(built.model));
  added.add(tokensToAdd(special, added));
  ids = (token) => added.id(token);
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: added.list(),
    ...built,
    post_processor: Class.post(classParts),
  };
}

/** A tokenizer.json with the tokens that other files add. */
function completeFile(file: TokenizerFile, special: SpecialTokens): TokenizerFile {
  const added = new AddedTokens(vocabularyOf(file.model), sizeOf(file.model));
  added.add(addedTokensOf(file));
  added.add(tokensToAdd(special, added));
  return { ...file, added_tokens: added.list() };
}

/** Added tokens that are not there as they should be, then special ones that are not there at all. */
function tokensToAdd({ added, named, extra }: SpecialTokens, present: AddedTokens): AddedToken[] {
  const names = new Set([...named.values()].map(contentOf));
  const here = present.list().map((token) => JSON.stringify(written(token)));
  const tokens = added.filter((token) => !here.includes(JSON.stringify(written(token))));
  const contents = new Set([...present.list(), ...tokens].map(contentOf));
  for (const token of [...named.values(), ...extra]) {
    if (contents.has(contentOf(token))) continue;
    contents.add(contentOf(token));
    tokens.push(isString(token) ? { content: token, special: true } : token);
  }
  return tokens.map((token) => ({
    ...written(token),
    special: written(token).special! || names.has(token.content),
  }));
}

/** A token with every property said, in one order; the id aside. */
function written({ content, special = false, ...rest }: AddedToken): AddedToken {
  return {
    content,
    single_word: rest.single_word ?? false,
    lstrip: rest.lstrip ?? false,
    rstrip: rest.rstrip ?? false,
    normalized: rest.normalized ?? !special,
    special,
  };
}

/** The model's tokens with their ids, before it is built. */
function vocabularyOf({ vocab }: Component): ReadonlyMap<string, number> {
  if (isScoredVocabulary(vocab)) return new Map(vocab.map(([token], id) => [token, id]));
  if (isVocabulary(vocab)) return new Map(Object.entries(vocab));
  throw new TokenizerFileError('the vocabulary must hold ids by token, or be a list of tokens with scores');
}

const sizeOf = ({ vocab }: Component): number =>
  Array.isArray(vocab) ? vocab.length : Object.keys((vocab ?? {}) as object).length;

function settings(
  Class: TokenizerClass | undefined,
  parts: TokenizerParts,
  special: SpecialTokens,
): TokenizerSettings {
  const { config, file } = parts;
  const side = (value: unknown): Side | undefined => {
    const name = isString(value) ? value.toLowerCase() : undefined;
    return name === 'left' || name === 'right' ? name : undefined;
  };
  const padding = isObject(file?.padding) ? file.padding : {};
  const truncation = isObject(file?.truncation) ? file.truncation : {};
  const pad = special.named.get('pad_token') ?? padding.pad_token;
  const length = config.model_max_length ?? config.max_len;
  const inputs = config.model_input_names;
  return {
    padToken: isString(pad) || isObject(pad) ? contentOf(pad as string | AddedToken) : undefined,
    // Where nothing is known, a number of thirty digits is written.
    maxLength: typeof length === 'number' && length < 1e6 ? length : undefined,
    paddingSide: side(config.padding_side) ?? side(padding.direction) ?? Class?.paddingSide ?? 'right',
    truncationSide: side(config.truncation_side) ?? side(truncation.direction) ?? 'right',
    tokenTypes: Array.isArray(inputs) ? inputs.includes('token_type_ids') : (Class?.tokenTypes ?? false),
    splitSpecialTokens: config.split_special_tokens === true,
  };
}
