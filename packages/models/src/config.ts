import { FAMILIES, type ModelType } from './families.js';
import type { HeadKind } from './families/family.js';
import type { BertConfig } from './families/bert.js';
import { ACTIVATIONS } from './layers/activations.js';
import { refusal } from './refusal.js';

/**
 * A model's configuration under the keys of a Hugging Face `config.json`; unknown keys are kept and written back. These
 * every family has; what else a family reads, its own file says.
 */
export interface ModelConfig {
  readonly [key: string]: unknown;
  readonly model_type: ModelType;
  readonly vocab_size: number;
  readonly initializer_range: number;
  readonly pad_token_id: number;
}

/** A complete configuration from the given keys; throws on values that no model has. `file` is the name that errors give. */
export function modelConfig(given: Readonly<Record<string, unknown>>, file = 'config'): ModelConfig {
  const refused = refusal(given, Object.keys(FAMILIES));
  if (refused !== undefined) throw new Error(`${file}: ${refused}`);
  const family = FAMILIES[given.model_type as ModelType];
  const config = { ...family.defaults, ...underOwnNames(given, family.aliases), ...given } as ModelConfig;
  const wrong = (key: string, wanted: string): Error =>
    new Error(`${file}: ${key} must be ${wanted}, got ${JSON.stringify(config[key])}`);
  const { sizes, rates, activations, epsilon, width } = family.keys;
  for (const key of sizes) {
    if (!Number.isSafeInteger(config[key]) || (config[key] as number) < 1)
      throw wrong(key, 'an integer of 1 or more');
  }
  for (const key of rates) {
    const rate = config[key];
    if (rate === null && (family.defaults[key] === null || key.startsWith('classifier'))) continue;
    if (typeof rate !== 'number' || !(rate >= 0 && rate < 1)) throw wrong(key, 'a number in [0, 1)');
  }
  if (!Number.isSafeInteger(config.pad_token_id) || config.pad_token_id < 0) {
    throw wrong('pad_token_id', 'an integer of 0 or more');
  }
  for (const key of ['initializer_range', ...(epsilon === undefined ? [] : [epsilon])]) {
    if (typeof config[key] !== 'number' || !(config[key] >= 0)) throw wrong(key, 'a number of 0 or more');
  }
  for (const key of activations) {
    if (!Object.hasOwn(ACTIVATIONS, config[key] as string))
      throw wrong(key, `one of ${Object.keys(ACTIVATIONS).join(', ')}`);
  }
  const [size, heads] = width;
  if ((config[size] as number) % (config[heads] as number) !== 0) {
    throw wrong(size, `a multiple of ${heads} (${String(config[heads])})`);
  }
  family.check?.(config, wrong);
  return config;
}

/** Keys that every model may be given, whatever its family. */
const COMMON = ['model_type', 'architectures', 'id2label', 'label2id', 'num_labels', 'problem_type'];

/** {@link modelConfig} of a config.json with changes to it; throws on a change of a key that nothing reads. */
export function changedConfig(
  json: Readonly<Record<string, unknown>>,
  changes: Readonly<Record<string, unknown>>,
  file: string,
): ModelConfig {
  const type = String(changes.model_type ?? json.model_type);
  if (!Object.hasOwn(FAMILIES, type)) return modelConfig({ ...json, ...changes }, file);
  const { defaults, optional = [], aliases = {} } = FAMILIES[type as ModelType];
  const own = [...Object.keys(defaults), ...optional];
  const renamed = { ...underOwnNames(changes, aliases), ...changes };
  const unread = Object.keys(renamed).filter(
    (key) => ![...own, ...COMMON, ...Object.keys(aliases), ...Object.keys(json)].includes(key),
  );
  if (unread.length > 0)
    throw new Error(
      `${file}: ${unread.join(', ')} cannot be changed: neither this file nor a ${type} has such a key; ` +
        `it reads ${own.join(', ')}`,
    );
  return modelConfig({ ...json, ...renamed }, file);
}

/** What stands under another name of a key. */
function underOwnNames(
  given: Readonly<Record<string, unknown>>,
  aliases: Readonly<Record<string, string>> = {},
): Record<string, unknown> {
  const named = Object.entries(aliases).filter(([alias]) => given[alias] !== undefined);
  return Object.fromEntries(named.map(([alias, key]) => [key, given[alias]]));
}

/** {@link modelConfig} of a BERT; keys left out are those of BERT base. */
export function bertConfig(given: Readonly<Record<string, unknown>> = {}, file = 'config'): BertConfig {
  return modelConfig({ model_type: 'bert', ...given }, file) as BertConfig;
}

/** The most tokens an input may have. */
export function positionsOf(config: ModelConfig): number {
  return FAMILIES[config.model_type].positions(config);
}

/** Which head a model of this configuration has, after the class that `architectures` names. */
export function headOf({ architectures }: Readonly<Record<string, unknown>>): HeadKind {
  const [architecture] = architectures instanceof Array ? (architectures as unknown[]) : [];
  return String(architecture).endsWith('ForTokenClassification')
    ? 'TokenClassification'
    : 'SequenceClassification';
}

/** The configuration of a model with this head. */
export function withHead(config: ModelConfig, head: HeadKind): ModelConfig {
  return { ...config, architectures: [`${FAMILIES[config.model_type].name}For${head}`] };
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
    ...without(config, ['num_labels', '_num_labels']),
    id2label: Object.fromEntries(names.map((name, i) => [String(i), name])),
    label2id: Object.fromEntries(names.map((name, i) => [name, i])),
  };
}

/** The configuration without these keys. */
export function without(config: ModelConfig, keys: readonly string[]): ModelConfig {
  return Object.fromEntries(Object.entries(config).filter(([key]) => !keys.includes(key))) as ModelConfig;
}
