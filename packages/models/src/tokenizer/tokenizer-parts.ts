import type { AddedToken, Component, TokenizerFile } from './tokenizer-file.js';
import { addedTokensOf, isObject, isString } from './tokenizer-file.js';

/** The parsed files of a folder that say how its texts are tokenized; absent ones are undefined. */
export interface TokenizerParts {
  /** `model_type` of config.json. */
  readonly modelType?: string | undefined;
  /** `tokenizer_class` of config.json. */
  readonly modelTokenizerClass?: string | undefined;
  /** tokenizer_config.json; empty where there is none. */
  readonly config: Component;
  /** tokenizer.json. */
  readonly file?: TokenizerFile | undefined;
  /** special_tokens_map.json. */
  readonly specialTokens?: Component | undefined;
  /** added_tokens.json: ids by token. */
  readonly addedTokens?: Component | undefined;
  /** vocab.txt or vocab.json: ids by token. */
  readonly vocabulary?: Readonly<Record<string, number>> | undefined;
  /** merges.txt, a pair a line. */
  readonly merges?: readonly string[] | undefined;
}

export const SPECIAL_NAMES = [
  'bos_token',
  'eos_token',
  'unk_token',
  'sep_token',
  'pad_token',
  'cls_token',
  'mask_token',
] as const;
export type SpecialName = (typeof SPECIAL_NAMES)[number];

/** Special tokens by name, and the further ones; a text where nothing but its content is said. */
export interface SpecialTokens {
  readonly named: ReadonlyMap<string, AddedToken | string>;
  readonly extra: readonly (AddedToken | string)[];
  /** Added tokens with their ids, in the order of these. */
  readonly added: readonly AddedToken[];
}

export const contentOf = (token: AddedToken | string): string => (isString(token) ? token : token.content);

const isToken = (value: unknown): value is AddedToken | string =>
  isString(value) || (isObject(value) && isString(value.content));

/**
 * What the files say about special and added tokens, `defaults` filling up. Where tokenizer_config.json lists
 * `added_tokens_decoder`, it alone counts; otherwise special_tokens_map.json, added_tokens.json and tokenizer.json do.
 */
export function specialTokens(parts: TokenizerParts, defaults: Component): SpecialTokens {
  const { config } = parts;
  const listed = isObject(config.added_tokens_decoder);
  const map = listed ? {} : (parts.specialTokens ?? {});
  const values: Component = { ...config, ...specialValues(map) };

  const added = new Map<number, AddedToken>();
  if (listed) {
    for (const [id, token] of Object.entries(config.added_tokens_decoder as Component))
      if (isToken(token) && !isString(token)) added.set(Number(id), token);
  } else {
    const names = new Set(
      [
        ...Object.values(values),
        ...asList(values.extra_special_tokens),
        ...asList(values.additional_special_tokens),
      ]
        .filter(isToken)
        .map(contentOf),
    );
    for (const [content, id] of Object.entries(parts.addedTokens ?? {}))
      added.set(Number(id), { content, special: names.has(content), normalized: !names.has(content) });
    for (const token of parts.file ? addedTokensOf(parts.file) : [])
      if (token.id !== undefined) added.set(token.id, token);
  }
  const byContent = new Map([...added.values()].map((token) => [token.content, token]));
  const known = (token: AddedToken | string): AddedToken | string => byContent.get(contentOf(token)) ?? token;

  const named = new Map<string, AddedToken | string>();
  for (const name of SPECIAL_NAMES) {
    const value = values[name] ?? defaults[name];
    if (isToken(value)) named.set(name, values[name] === undefined ? value : known(value));
  }
  const others = isObject(values.extra_special_tokens) ? values.extra_special_tokens : {};
  for (const [name, value] of [...Object.entries(values), ...Object.entries(others)])
    if (name.endsWith('_token') && !named.has(name) && isString(value)) named.set(name, value);
  const extra = [
    values.extra_special_tokens,
    values.additional_special_tokens,
    defaults.additional_special_tokens,
  ]
    .map(asList)
    .find((list) => list.length > 0);
  return {
    named,
    extra: (extra ?? []).filter(isToken),
    added: [...added].sort(([a], [b]) => a - b).map(([, token]) => token),
  };
}

const asList = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

/** The entries of special_tokens_map.json; one that is written out is special whatever it says. */
function specialValues(map: Component): Component {
  return Object.fromEntries(
    Object.entries(map).map(([name, value]) => [
      name,
      isObject(value) && isString(value.content) ? { ...value, special: true } : value,
    ]),
  );
}
