import { FAMILIES, type ModelType } from './families.js';
import { ACTIVATIONS, type Activation } from './layers/transformer-block.js';

/** A model's configuration under the keys of a Hugging Face `config.json`; unknown keys are kept and written back. */
export interface ModelConfig {
  readonly [key: string]: unknown;
  readonly model_type: ModelType;
  readonly vocab_size: number;
  readonly hidden_size: number;
  /** Features of the embeddings (ELECTRA); the others' are `hidden_size`. */
  readonly embedding_size?: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: Activation;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  /** Dropout before the classifier; null stands for `hidden_dropout_prob`. */
  readonly classifier_dropout?: number | null;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly initializer_range: number;
  readonly layer_norm_eps: number;
  readonly pad_token_id: number;
}

const SIZES = [
  'vocab_size',
  'hidden_size',
  'num_hidden_layers',
  'num_attention_heads',
  'intermediate_size',
  'max_position_embeddings',
  'type_vocab_size',
] as const;
const RATES = ['hidden_dropout_prob', 'attention_probs_dropout_prob', 'classifier_dropout'] as const;

/** A complete configuration from the given keys; throws on values that no model has. `file` is the name that errors give. */
export function modelConfig(given: Readonly<Record<string, unknown>>, file = 'config'): ModelConfig {
  const wrong = (key: string, wanted: string): Error =>
    new Error(`${file}: ${key} must be ${wanted}, got ${JSON.stringify(config[key])}`);
  let config = given as ModelConfig;
  if (typeof given.model_type !== 'string' || !Object.hasOwn(FAMILIES, given.model_type)) {
    throw wrong(
      'model_type',
      `one of ${Object.keys(FAMILIES).join(', ')} (the architectures supported so far)`,
    );
  }
  config = { ...FAMILIES[config.model_type].defaults, ...given } as ModelConfig;
  for (const key of SIZES) {
    const least = FAMILIES[config.model_type].defaults[key] === 0 ? 0 : 1;
    if (!Number.isSafeInteger(config[key]) || config[key] < least)
      throw wrong(key, `an integer of ${least} or more`);
  }
  for (const key of RATES) {
    const rate = config[key];
    if ((rate ?? null) === null && key === 'classifier_dropout') continue;
    if (typeof rate !== 'number' || !(rate >= 0 && rate < 1)) throw wrong(key, 'a number in [0, 1)');
  }
  if (
    config.embedding_size !== undefined &&
    !(Number.isSafeInteger(config.embedding_size) && config.embedding_size > 0)
  ) {
    throw wrong('embedding_size', 'an integer of 1 or more');
  }
  if (!Number.isSafeInteger(config.pad_token_id) || config.pad_token_id < 0) {
    throw wrong('pad_token_id', 'an integer of 0 or more');
  }
  for (const key of ['initializer_range', 'layer_norm_eps'] as const) {
    if (typeof config[key] !== 'number' || !(config[key] >= 0)) throw wrong(key, 'a number of 0 or more');
  }
  if (!Object.hasOwn(ACTIVATIONS, config.hidden_act)) {
    throw wrong('hidden_act', `one of ${Object.keys(ACTIVATIONS).join(', ')}`);
  }
  if (config.hidden_size % config.num_attention_heads !== 0) {
    throw wrong('hidden_size', `a multiple of num_attention_heads (${config.num_attention_heads})`);
  }
  if ((config.position_embedding_type ?? 'absolute') !== 'absolute')
    throw wrong('position_embedding_type', '"absolute"');
  if (config.is_decoder) throw wrong('is_decoder', 'false');
  const refused = FAMILIES[config.model_type].refuses?.(config);
  if (refused) throw wrong(...refused);
  return config;
}

/** {@link modelConfig} of a BERT; keys left out are those of BERT base. */
export function bertConfig(given: Readonly<Record<string, unknown>> = {}, file = 'config'): ModelConfig {
  return modelConfig({ model_type: 'bert', ...given }, file);
}

/** The most tokens an input may have. */
export function positionsOf(config: ModelConfig): number {
  return config.max_position_embeddings - FAMILIES[config.model_type].firstPosition(config.pad_token_id);
}

/** The names of a configuration's labels in order (`id2label`); `undefined` where it has none. */
export function labelsOf(config: ModelConfig): string[] | undefined {
  const names = config.id2label;
  if (typeof names !== 'object' || names === null) return undefined;
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
}

/** The configuration with these labels: a number makes names LABEL_0, LABEL_1, ... as in `transformers`. */
export function withLabels(config: ModelConfig, labels: number | readonly string[]): ModelConfig {
  const names = typeof labels === 'number' ? Array.from({ length: labels }, (_, i) => `LABEL_${i}`) : labels;
  if (typeof labels === 'number' && !Number.isSafeInteger(labels)) {
    throw new Error(`labels must be an integer of 1 or more or a list of names, got ${labels}`);
  }
  if (names.length < 1) throw new Error('labels must name at least one label; 1 label is regression');
  if (new Set(names).size !== names.length) throw new Error(`labels must differ, got ${names.join(', ')}`);
  return {
    ...config,
    id2label: Object.fromEntries(names.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  };
}
