import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type * as transformers from '@xenova/transformers';
import { parseJsonFile } from './checkpoint/checkpoint.js';
import { wordPieceTokenizer } from './word-piece.js';

/** Token ids of one example with its special tokens, and the segment (0 or 1) of each; not padded. */
export interface Encoding {
  readonly inputIds: number[];
  readonly tokenTypeIds: number[];
}

/** One text or a pair of texts. */
export type Texts = string | readonly [string] | readonly [string, string];

/** How texts are encoded. */
export interface EncodeOptions {
  /** Most tokens of one example, special tokens included; longer ones lose tokens at the end of their longer text. */
  readonly maxLength?: number;
}

// The package's module of tokenizers alone, without its image libraries; loaded when the first tokenizer is.
const TOKENIZERS: string = '@xenova/transformers/src/tokenizers.js';

type TokenizerFile = Record<string, unknown>;
type TokenizerClass = new (file: TokenizerFile, config: TokenizerFile) => transformers.PreTrainedTokenizer;

/** A checkpoint's own tokenizer. */
export class Tokenizer {
  /** The id that fills a batch's shorter rows. */
  readonly padId: number;
  /** Number of ids; every id is below it. */
  readonly size: number;
  /** The longest input the checkpoint was made for; `undefined` where it does not say. */
  readonly maxLength: number | undefined;

  constructor(
    private readonly inner: transformers.PreTrainedTokenizer,
    maxLength: unknown,
    private readonly segments: boolean,
  ) {
    this.padId = (inner.pad_token_id as number | undefined) ?? 0;
    this.size = Math.max(...inner.model.tokens_to_ids.values()) + 1;
    this.maxLength = typeof maxLength === 'number' && maxLength < 1e6 ? maxLength : undefined;
  }

  /** Encodes each text or pair, with special tokens. Throws where `maxLength` has no room for those. */
  encode(examples: readonly Texts[], options: EncodeOptions = {}): Encoding[] {
    const maxLength = options.maxLength ?? this.maxLength ?? Infinity;
    return examples.map((texts) => this.encodeOne(texts, maxLength));
  }

  private encodeOne(texts: Texts, maxLength: number): Encoding {
    const [first, second] = typeof texts === 'string' ? [texts, undefined] : texts;
    const tokens = this.tokens(first);
    const pair = second === undefined ? undefined : this.tokens(second);
    const room = maxLength - this.join([], pair && []).tokens.length;
    if (room < 1)
      throw new Error(`maxLength must leave room for a token beside the special ones, got ${maxLength}`);
    truncate(tokens, pair ?? [], room);
    const joined = this.join(tokens, pair);
    return {
      inputIds: this.inner.model.convert_tokens_to_ids(joined.tokens),
      tokenTypeIds: (this.segments && joined.token_type_ids) || joined.tokens.map(() => 0),
    };
  }

  private tokens(text: string): string[] {
    return this.inner._encode_text(text) ?? [];
  }

  /** Adds the special tokens. */
  private join(
    tokens: string[],
    pair: string[] | undefined,
  ): { tokens: string[]; token_type_ids?: number[] } {
    return this.inner.post_processor(tokens, ...(pair ? [pair] : [])) as {
      tokens: string[];
      token_type_ids?: number[];
    };
  }
}

/** Drops tokens at the end of the longer list, then of both, until they hold `room` together (`longest_first`). */
function truncate(first: string[], second: string[], room: number): void {
  const [longer, shorter] = first.length > second.length ? [first, second] : [second, first];
  if (longer.length + shorter.length <= room) return;
  shorter.length = Math.min(shorter.length, Math.floor(room / 2));
  longer.length = room - shorter.length;
}

/** Reads the tokenizer of a model's folder: tokenizer.json, or vocab.txt of a BERT. No other file or host is asked. */
export async function loadTokenizer(folder: string): Promise<Tokenizer> {
  const { AutoTokenizer, PreTrainedTokenizer } = (await import(TOKENIZERS)) as Pick<
    typeof transformers,
    'AutoTokenizer' | 'PreTrainedTokenizer'
  >;
  const config = (await readJson(join(folder, 'tokenizer_config.json'))) ?? {};
  const file = (await readJson(join(folder, 'tokenizer.json'))) ?? (await readVocabulary(folder, config));
  if (!file) throw new Error(`${folder}: there is no tokenizer.json (nor a BERT's vocab.txt)`);
  const name = ((config.tokenizer_class ?? 'PreTrainedTokenizer') as string).replace(/Fast$/, '');
  const classes = AutoTokenizer.TOKENIZER_CLASS_MAPPING as unknown as Record<
    string,
    TokenizerClass | undefined
  >;
  const Class = classes[name] ?? (PreTrainedTokenizer as TokenizerClass);
  // A RoBERTa has one token type, whatever the text.
  const segments = (file.post_processor as { type?: unknown } | null)?.type !== 'RobertaProcessing';
  try {
    return new Tokenizer(new Class(file, config), config.model_max_length, segments);
  } catch (error) {
    throw new Error(`${folder}: the tokenizer cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

async function readJson(path: string): Promise<TokenizerFile | undefined> {
  return existsSync(path) ? (parseJsonFile(await readFile(path, 'utf8'), path) as TokenizerFile) : undefined;
}

async function readVocabulary(folder: string, config: TokenizerFile): Promise<TokenizerFile | undefined> {
  const path = join(folder, 'vocab.txt');
  if (!existsSync(path)) return undefined;
  return wordPieceTokenizer(
    (await readFile(path, 'utf8')).split(/\r?\n/),
    config.do_lower_case !== false,
    path,
  );
}
