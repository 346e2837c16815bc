import { addedTokenSplitter, AddedTokens, type Segment } from './added-tokens.js';
import { type TokenModel, tokenModel } from './models.js';
import { type Normalize, normalizer } from './normalizer.js';
import { type Layout, layout, type Part } from './post-processor.js';
import { type PreTokenize, preTokenizer } from './pre-tokenizer.js';
import { addedTokensOf, type Component, precompiledOf, type TokenizerFile } from './tokenizer-file.js';
import { cut, longestFirst, type Side } from './truncation.js';
import { wellFormed } from './unicode.js';

/** Token ids of one example with its special tokens, and the token type (0 or 1; XLNet's last 2) of each; not padded. */
export interface Encoding {
  readonly inputIds: number[];
  readonly tokenTypeIds: number[];
}

/** An encoding of words, with the place of the word that each token is of; -1 for special tokens. */
export interface WordEncoding extends Encoding {
  readonly words: number[];
}

/** One text or a pair of texts. */
export type Texts = string | readonly [string] | readonly [string, string];

/** How texts are encoded. */
export interface EncodeOptions {
  /** Most tokens of one example, special tokens included; longer ones lose tokens at the end of their longer text. */
  readonly maxLength?: number;
}

/** What a tokenizer's folder says beside the tokenizer.json. */
export interface TokenizerSettings {
  readonly padToken?: string | undefined;
  /** The longest input the checkpoint was made for. */
  readonly maxLength?: number | undefined;
  /** Where a batch's shorter rows are filled up; default right. */
  readonly paddingSide?: Side;
  /** Which end of a long text goes; default right. */
  readonly truncationSide?: Side;
  /** Whether the model is given token types; without, all are 0. */
  readonly tokenTypes?: boolean;
  /** Special tokens in a text are ordinary text. */
  readonly splitSpecialTokens?: boolean;
}

const KEPT_PIECES = 100_000;
const KEPT_LENGTH = 64;

/** The tokens of one text, and for words the place of each token's word. */
interface Tokens {
  readonly ids: readonly number[];
  readonly words: readonly number[];
}

/** A checkpoint's own tokenizer: what a tokenizer.json describes. Reads no file; works in any JavaScript engine. */
export class Tokenizer {
  /** The id that fills a batch's shorter rows. */
  readonly padId: number;
  /** Where they are filled up. */
  readonly paddingSide: Side;
  /** Number of ids; every id is below it. */
  readonly size: number;
  /** The longest input the checkpoint was made for; `undefined` where it does not say. */
  readonly maxLength: number | undefined;
  readonly #truncationSide: Side;
  readonly #tokenTypes: boolean;
  readonly #added: AddedTokens;
  readonly #segments: (text: string) => Segment[];
  readonly #normalize: Normalize;
  /** SentencePiece's replacements alone, and what they do: made when a text asks for it, as the table is large. */
  readonly #precompiled: Component | undefined;
  #replace: Normalize | undefined;
  readonly #preTokenize: PreTokenize;
  readonly #model: TokenModel;
  readonly #layout: Layout;
  readonly #known = new Map<string, readonly number[]>();
  #spaces: boolean | undefined;

  /** Throws a {@link TokenizerFileError} on a part that it does not know. */
  constructor(file: TokenizerFile, settings: TokenizerSettings = {}) {
    this.#model = tokenModel(file.model);
    this.#normalize = normalizer(file.normalizer);
    this.#precompiled = precompiledOf(file)[0];
    this.#preTokenize = preTokenizer(file.pre_tokenizer);
    this.#layout = layout(file.post_processor);
    this.#added = new AddedTokens(this.#model.vocabulary, this.#model.size);
    this.#added.add(addedTokensOf(file));
    const tokens = this.#added.list();
    this.#segments = addedTokenSplitter(tokens, this.#normalize, settings.splitSpecialTokens ?? false);
    this.padId = (settings.padToken === undefined ? undefined : this.tokenId(settings.padToken)) ?? 0;
    this.paddingSide = settings.paddingSide ?? 'right';
    this.maxLength = settings.maxLength;
    this.#truncationSide = settings.truncationSide ?? 'right';
    this.#tokenTypes = settings.tokenTypes ?? true;
    let largest = tokens.at(-1)?.id ?? -1;
    for (const id of this.#model.vocabulary.values()) largest = Math.max(largest, id);
    this.size = largest + 1;
  }

  /** The id of a token, `undefined` where it has none. */
  tokenId(token: string): number | undefined {
    return this.#added.id(token);
  }

  /** Encodes each text or pair, with special tokens. Throws where `maxLength` has no room for those. */
  encode(examples: readonly Texts[], options: EncodeOptions = {}): Encoding[] {
    const maxLength = options.maxLength ?? this.maxLength ?? Infinity;
    return examples.map((texts) => {
      const sequences = typeof texts === 'string' ? [texts] : texts;
      // How a pair is shared out depends on the whole length of both.
      const limit = sequences.length === 1 ? maxLength : Infinity;
      const { inputIds, tokenTypeIds } = this.#join(
        sequences.map((text) => ({ ids: this.#tokens(text, limit), words: [] })),
        maxLength,
      );
      return { inputIds, tokenTypeIds };
    });
  }

  /** Encodes texts that are split into words already, each word by itself, as it stands in a text: with a space before it where that makes a difference. */
  encodeWords(examples: readonly (readonly string[])[], options: EncodeOptions = {}): WordEncoding[] {
    const maxLength = options.maxLength ?? this.maxLength ?? Infinity;
    return examples.map((words) => {
      const tokens = words.map((word, place) =>
        this.#tokens(place > 0 && /^\S/.test(word) && this.#marksSpaces ? ` ${word}` : word, maxLength),
      );
      return this.#join(
        [{ ids: tokens.flat(), words: tokens.flatMap((ids, place) => ids.map(() => place)) }],
        maxLength,
      );
    });
  }

  /** The pieces of a text that become tokens, each by itself. */
  #pieces(text: string): Segment[] {
    const whole = wellFormed(text);
    const pieces: Segment[] = [];
    for (const [i, segment] of this.#segments(whole).entries()) {
      if (typeof segment === 'number') pieces.push(segment);
      else
        for (const piece of this.#preTokenize([segment], i === 0 && this.#keepsStart(whole)))
          pieces.push(piece);
    }
    return pieces;
  }

  /** Whether words encoded by themselves would be read as one without spaces, as by byte-level BPE that puts no space before a text. */
  get #marksSpaces(): boolean {
    const read = (text: string): string => this.#pieces(text).join('');
    return (this.#spaces ??= read('a') + read('b') === read('ab') && read('a b') !== read('ab'));
  }

  /** The tokens of a text without special ones; of those beyond `limit` some or none. */
  #tokens(text: string, limit: number): readonly number[] {
    const pieces = this.#pieces(text);
    const right = this.#truncationSide === 'right';
    const found: (readonly number[])[] = [];
    let count = 0;
    for (let i = 0; i < pieces.length; i++) {
      const piece = pieces[right ? i : pieces.length - 1 - i]!;
      const ids = typeof piece === 'number' ? [piece] : this.#pieceTokens(piece);
      found.push(ids);
      count += ids.length;
      if (count >= limit) break;
    }
    return (right ? found : found.reverse()).flat();
  }

  /**
   * Whether a text's first character is still there when it is normalized; what removes all text removes it. In the place of one that
   * SentencePiece's replacements remove, the next counts as the first.
   */
  #keepsStart(text: string): boolean {
    const first = String.fromCodePoint(text.codePointAt(0) ?? 32);
    const isKept = (normalize: Normalize): boolean => normalize(`${first}a`) !== normalize('a');
    return isKept(this.#normalize) || !isKept((this.#replace ??= normalizer(this.#precompiled)));
  }

  #pieceTokens(piece: string): readonly number[] {
    let ids = this.#known.get(piece);
    if (ids === undefined) {
      ids = this.#model.tokenize(piece);
      if (this.#known.size < KEPT_PIECES && piece.length <= KEPT_LENGTH) this.#known.set(piece, ids);
    }
    return ids;
  }

  /** Cuts the texts to the length and puts the special tokens around them. */
  #join(sequences: readonly Tokens[], maxLength: number): WordEncoding {
    const parts = sequences.length === 2 ? this.#layout.pair : this.#layout.single;
    const room = maxLength - parts.filter((part) => 'id' in part).length;
    if (room < 1)
      throw new Error(`maxLength must leave room for a token beside the special ones, got ${maxLength}`);
    const [first, second] = sequences.map(({ ids }) => ids.length) as [number, number?];
    const lengths = second === undefined ? [Math.min(first, room)] : longestFirst(first, second, room);
    const kept = sequences.map(({ ids, words }, i) => ({
      ids: cut(ids, lengths[i]!, this.#truncationSide),
      words: cut(words, lengths[i]!, this.#truncationSide),
    }));
    const encoding: WordEncoding = { inputIds: [], tokenTypeIds: [], words: [] };
    for (const part of parts) append(encoding, part, kept, this.#tokenTypes ? part.type : 0);
    return encoding;
  }
}

function append(encoding: WordEncoding, part: Part, sequences: readonly Tokens[], type: number): void {
  const ids = 'id' in part ? [part.id] : (sequences[part.sequence]?.ids ?? []);
  const words = 'id' in part ? [-1] : (sequences[part.sequence]?.words ?? []);
  for (const id of ids) {
    encoding.inputIds.push(id);
    encoding.tokenTypeIds.push(type);
  }
  for (const word of words) encoding.words.push(word);
}
