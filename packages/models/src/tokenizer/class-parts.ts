import {
  type Component,
  isBoolean,
  isScoredVocabulary,
  isVocabulary,
  precompiledOf,
  type TokenizerFile,
  TokenizerFileError,
} from './tokenizer-file.js';
import { contentOf, type SpecialName, type SpecialTokens, type TokenizerParts } from './tokenizer-parts.js';

/** How a class of `transformers` builds its tokenizer. */
export interface TokenizerClass {
  /** Special tokens that the folder may rename. */
  readonly defaults: Component;
  /** Those that the vocabulary must hold. */
  readonly needs: readonly SpecialName[];
  /** Whether its models are given token types; default false. */
  readonly tokenTypes?: boolean;
  readonly paddingSide?: 'left';
  /** Normalizer, pre_tokenizer, decoder and model of the tokenizer.json. */
  readonly build: (parts: ClassParts) => Component;
  /** Its post_processor, when every special token has its id. */
  readonly post: (parts: ClassParts) => Component;
}

/** A folder as a class reads it. */
export class ClassParts {
  readonly config: Component;

  constructor(
    private readonly parts: TokenizerParts,
    private readonly tokens: SpecialTokens,
    private readonly ids: (token: string) => number | undefined,
  ) {
    this.config = parts.config;
  }

  get file(): TokenizerFile | undefined {
    return this.parts.file;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.config[name] ?? fallback;
    if (isBoolean(value)) return value;
    throw new TokenizerFileError(
      `tokenizer_config.json: ${name} must be true or false, got ${JSON.stringify(value)}`,
    );
  }

  token(name: SpecialName): string {
    const token = this.tokens.named.get(name);
    if (token === undefined) throw new TokenizerFileError(`no file says what the ${name} is`);
    return contentOf(token);
  }

  id(name: SpecialName): number {
    return this.ids(this.token(name))!;
  }

  /** Tokens with ids: tokenizer.json's, vocab.txt's or vocab.json's. */
  vocabulary(): Component {
    const vocabulary = this.parts.file?.model.vocab ?? this.parts.vocabulary;
    if (isVocabulary(vocabulary)) return vocabulary;
    throw new TokenizerFileError('the vocabulary must be an object of ids by token');
  }

  merges(): unknown {
    const merges = this.parts.file?.model.merges ?? this.parts.merges;
    if (Array.isArray(merges)) return merges;
    throw new TokenizerFileError('there are no merges (merges.txt, or those of a BPE in tokenizer.json)');
  }

  /** Tokens with log probabilities. */
  scores(): readonly (readonly [string, number])[] {
    const entries = this.parts.file?.model.vocab;
    if (isScoredVocabulary(entries)) return entries;
    throw new TokenizerFileError('the vocabulary must be a list of tokens with scores');
  }

  /** SentencePiece's replacements as the normalizer of tokenizer.json holds them. */
  precompiled(): Component[] {
    return precompiledOf(this.parts.file).slice(0, 1);
  }
}

/** A piece of a template: a text ($A, $B) or the name of a special token, with its token type. */
export type Piece = readonly [what: '$A' | '$B' | SpecialName, type: number];

/** Pieces as one line: `cls_token $A sep_token $B:1 sep_token:1`. */
export const pieces = (line: string): Piece[] =>
  line.split(' ').map((piece) => {
    const [what, type = '0'] = piece.split(':');
    return [what as Piece[0], Number(type)];
  });

/** A TemplateProcessing of special tokens by name. */
export function template(parts: ClassParts, single: readonly Piece[], pair: readonly Piece[]): Component {
  const written = ([what, type]: Piece): Component =>
    what === '$A' || what === '$B'
      ? { Sequence: { id: what.slice(1), type_id: type } }
      : { SpecialToken: { id: parts.token(what), type_id: type } };
  const special: Record<string, Component> = {};
  for (const [what] of pair) {
    if (what === '$A' || what === '$B') continue;
    const token = parts.token(what);
    special[token] = { id: token, ids: [parts.id(what)], tokens: [token] };
  }
  return {
    type: 'TemplateProcessing',
    single: single.map(written),
    pair: pair.map(written),
    special_tokens: special,
  };
}
