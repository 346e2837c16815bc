import type { SymbolicTensor } from '@tensorflow/tfjs-layers';
import type { ModelConfig } from '../config.js';

/** The inputs of a model, each int32 [B, T]. */
export interface TokenInputs {
  readonly inputIds: SymbolicTensor;
  /** 1 for a token, 0 for padding. */
  readonly attentionMask: SymbolicTensor;
  readonly tokenTypeIds: SymbolicTensor;
}

/** What all layers of one model share. */
export interface Common {
  readonly initializerRange: number;
  readonly seed: number;
  readonly start?: 'drawn' | 'zeros';
}

/** From tokens to hidden states [B, T, H]. */
export interface Encoder {
  connect(inputs: TokenInputs): SymbolicTensor;
}

/** What a model says: one list of logits a row, or one a token; as the classes of `transformers` are called. */
export type HeadKind = keyof Heads;

/** From hidden states [B, T, H] to logits [B, labels] or [B, T, labels]. */
export interface Head {
  connect(hidden: SymbolicTensor, inputs: TokenInputs): SymbolicTensor;
}

/** The keys of a configuration that are checked alike in every family. */
export interface ConfigKeys {
  /** Integers of 1 or more. */
  readonly sizes: readonly string[];
  /** Dropout rates in [0, 1); null where it is a default. */
  readonly rates: readonly string[];
  readonly activations: readonly string[];
  /** The normalizations' epsilon, where the configuration has it. */
  readonly epsilon?: string;
  /** The width and the heads that must divide it. */
  readonly width: readonly [size: string, heads: string];
}

/** Throws where positions are told apart inside the attention, as code before `transformers` 5 could. */
export function checkPositions(
  { position_embedding_type: type }: ModelConfig,
  wrong: (key: string, wanted: string) => Error,
): void {
  if ((type ?? 'absolute') !== 'absolute') throw wrong('position_embedding_type', '"absolute"');
}

/** A head of each kind. */
export interface Heads<Config extends ModelConfig = ModelConfig> {
  SequenceClassification(config: Config, common: Common, labels: number): Head;
  TokenClassification(config: Config, common: Common, labels: number): Head;
}

/** What tells one architecture from another. */
export interface Family<Config extends ModelConfig = ModelConfig> {
  /** What its classes in `transformers` begin with: `Bert` of `BertForSequenceClassification`. */
  readonly name: string;
  /** What the names of the encoder's weights begin with in a checkpoint; those of a bare encoder lack it. */
  readonly prefix: string;
  /** What a config.json may leave out. */
  readonly defaults: Readonly<Record<string, unknown>>;
  /** Keys that it reads where they are given and has no default for. */
  readonly optional?: readonly string[];
  /** Other names of keys, as earlier code or `transformers` has them, each with the family's own. */
  readonly aliases?: Readonly<Record<string, string>>;
  readonly keys: ConfigKeys;
  /** Checks what is the family's own; `wrong` makes the error. */
  check?(config: Config, wrong: (key: string, wanted: string) => Error): void;
  /** The most tokens an input may have. */
  positions(config: Config): number;
  encoder(config: Config, common: Common): Encoder;
  /** The heads of the classes in `transformers`, with their names and dropout. */
  readonly heads: Heads<Config>;
}
