/** A part of a tokenizer.json: `type` names it, the other keys are its options. */
export interface Component {
  readonly type?: string;
  readonly [option: string]: unknown;
}

/** An entry of `added_tokens`: a text that is one token wherever it stands. */
export interface AddedToken {
  readonly id?: number;
  readonly content: string;
  /** Only where no letter, digit or mark touches it. */
  readonly single_word?: boolean;
  /** Takes the white space before it along. */
  readonly lstrip?: boolean;
  /** Takes the white space after it along. */
  readonly rstrip?: boolean;
  /** Looked for in the normalized text; default where it is not special. */
  readonly normalized?: boolean;
  readonly special?: boolean;
}

/** The parsed content of a tokenizer.json as the library `tokenizers` writes it. */
export interface TokenizerFile {
  readonly version?: string;
  readonly truncation?: Component | null;
  readonly padding?: Component | null;
  readonly added_tokens?: readonly AddedToken[];
  readonly normalizer?: Component | null;
  readonly pre_tokenizer?: Component | null;
  readonly post_processor?: Component | null;
  readonly decoder?: Component | null;
  readonly model: Component;
}

/** A component that this package does not know, or one whose options are not what its type needs. */
export class TokenizerFileError extends Error {
  override readonly name = 'TokenizerFileError';
}

/** What `builders` makes of the component by its type; throws on a type that is not among them. */
export function build<T>(
  kind: string,
  builders: Readonly<Record<string, (component: Component) => T>>,
  component: Component,
): T {
  const type = component.type ?? '';
  if (Object.hasOwn(builders, type)) return builders[type]!(component);
  throw new TokenizerFileError(
    `the ${kind} "${type}" is not known; known are ${Object.keys(builders).join(', ')}`,
  );
}

/** The component's option if `check` takes it, `fallback` where it is absent; throws on anything else. */
export function option<T>(
  component: Component,
  name: string,
  check: (value: unknown) => value is T,
  fallback?: T,
): T {
  const value = component[name] ?? fallback;
  if (check(value)) return value;
  const got = value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 60);
  throw new TokenizerFileError(`${component.type ?? 'a component'}: ${name} cannot be ${got}`);
}

export const isString = (value: unknown): value is string => typeof value === 'string';
export const isBoolean = (value: unknown): value is boolean => typeof value === 'boolean';
export const isCount = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) >= 0;
export const isObject = (value: unknown): value is Component =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
export const isObjectList = (value: unknown): value is readonly Component[] =>
  Array.isArray(value) && value.every(isObject);
/** Vocabularies that were looked through: each is asked about several times, and long. */
const vocabularies = new WeakSet<object>();
/** Tokens with their ids. */
export const isVocabulary = (value: unknown): value is Readonly<Record<string, number>> => {
  if (!isObject(value)) return false;
  if (vocabularies.has(value)) return true;
  if (!Object.values(value).every(isCount)) return false;
  vocabularies.add(value);
  return true;
};

/** Tokens with their log probabilities, in the order of their ids. */
export const isScoredVocabulary = (value: unknown): value is readonly (readonly [string, number])[] =>
  Array.isArray(value) &&
  value.every((entry: unknown) => Array.isArray(entry) && isString(entry[0]) && typeof entry[1] === 'number');

/** The `added_tokens` of a file; throws on one that has no text, or an id or a property of another type. */
export function addedTokensOf({ added_tokens: tokens }: TokenizerFile): readonly AddedToken[] {
  const given: unknown = tokens ?? [];
  if (!Array.isArray(given)) throw wrongToken(given);
  for (const token of given as unknown[]) if (!isAddedToken(token)) throw wrongToken(token);
  return given as AddedToken[];
}

function isAddedToken(value: unknown): value is AddedToken {
  if (!isObject(value) || !isString(value.content)) return false;
  if (value.id !== undefined && !isCount(value.id)) return false;
  return FLAGS.every((flag) => value[flag] === undefined || isBoolean(value[flag]));
}

const FLAGS = ['single_word', 'lstrip', 'rstrip', 'normalized', 'special'] as const;

const wrongToken = (token: unknown): TokenizerFileError =>
  new TokenizerFileError(`added_tokens: ${JSON.stringify(token ?? null).slice(0, 60)} is not an added token`);

/** SentencePiece's replacements among the normalizers of a file. */
export function precompiledOf(file: Pick<TokenizerFile, 'normalizer'> | undefined): Component[] {
  const normalizer = file?.normalizer;
  const all = Array.isArray(normalizer?.normalizers) ? normalizer.normalizers : [normalizer];
  return all.filter(isObject).filter(({ type }) => type === 'Precompiled');
}
