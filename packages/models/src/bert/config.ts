import { ACTIVATIONS, type Activation } from '../layers/transformer-block.js';

/** A BERT configuration under the keys of a Hugging Face `config.json`; unknown keys are kept and written back. */
export interface BertConfig {
  readonly [key: string]: unknown;
  readonly model_type: 'bert';
  readonly vocab_size: number;
  readonly hidden_size: number;
  readonly num_hidden_layers: number;
  readonly num_attention_heads: number;
  readonly intermediate_size: number;
  readonly hidden_act: Activation;
  readonly hidden_dropout_prob: number;
  readonly attention_probs_dropout_prob: number;
  /** Dropout before the classifier; null stands for `hidden_dropout_prob`. */
  readonly classifier_dropout: number | null;
  readonly max_position_embeddings: number;
  readonly type_vocab_size: number;
  readonly initializer_range: number;
  readonly layer_norm_eps: number;
}

/** The values that a configuration may leave out: those of BERT base. */
const DEFAULTS: BertConfig = {
  model_type: 'bert',
  vocab_size: 30522,
  hidden_size: 768,
  num_hidden_layers: 12,
  num_attention_heads: 12,
  intermediate_size: 3072,
  hidden_act: 'gelu',
  hidden_dropout_prob: 0.1,
  attention_probs_dropout_prob: 0.1,
  classifier_dropout: null,
  max_position_embeddings: 512,
  type_vocab_size: 2,
  initializer_range: 0.02,
  layer_norm_eps: 1e-12,
};

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

/** A complete configuration from the given keys; throws on values that no BERT has. `file` is the name that errors give. */
export function bertConfig(given: Readonly<Record<string, unknown>> = {}, file = 'config'): BertConfig {
  const config = { ...DEFAULTS, ...given } as BertConfig;
  const wrong = (key: string, wanted: string): Error =>
    new Error(`${file}: ${key} must be ${wanted}, got ${JSON.stringify(config[key])}`);
  if (given.model_type !== undefined && given.model_type !== 'bert')
    throw wrong('model_type', '"bert" (the one architecture supported so far)');
  for (const key of SIZES) {
    if (!Number.isSafeInteger(config[key]) || config[key] < 1) throw wrong(key, 'an integer of 1 or more');
  }
  for (const key of RATES) {
    const rate = config[key];
    if (rate === null && key === 'classifier_dropout') continue;
    if (typeof rate !== 'number' || !(rate >= 0 && rate < 1)) throw wrong(key, 'a number in [0, 1)');
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
  return config;
}

/** The names of a configuration's labels in order (`id2label`); `undefined` where it has none. */
export function labelsOf(config: BertConfig): string[] | undefined {
  const names = config.id2label;
  if (typeof names !== 'object' || names === null) return undefined;
  return Object.entries(names)
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, name]) => String(name));
}

/** The configuration with these labels: a number makes names LABEL_0, LABEL_1, ... as in `transformers`. */
export function withLabels(config: BertConfig, labels: number | readonly string[]): BertConfig {
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
