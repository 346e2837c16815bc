import { HypetuneError } from './errors.js';
import type { Plugin, PluginHost, PluginPairs } from './plugin.js';
import {
  complete,
  describeSettings,
  jsonSchema,
  type Complete,
  type Declarations,
  type Given,
  type SettingInfo,
} from './schema.js';

/** A method, declared once: users' function, checks, listings, pages and config files' schema are made from it. */
export interface MethodDeclaration<S extends Declarations> {
  /** The plugin's name, kebab-case; keys its draws, loss terms and state. */
  readonly name: string;
  /** One line: what it does. */
  readonly summary: string;
  /** Authors and year. */
  readonly source: string;
  /** Extra forward and backward passes a step costs, in words. */
  readonly cost: string;
  /** Each option once: type, range, default and one line of doc. */
  readonly options: S;
  /** How it stands beside other plugins. */
  readonly pairs?: PluginPairs;
  /** What options ask of each other; a text says what is wrong. */
  check?(options: Complete<S>): string | undefined;
  /** Taps the hooks. The options are checked and complete. */
  apply(host: PluginHost, options: Complete<S>): void;
}

/** A method as data: what listings, config files and pages are made from. */
export interface MethodInfo {
  readonly name: string;
  readonly summary: string;
  readonly source: string;
  readonly cost: string;
  readonly pairs: PluginPairs;
  readonly options: Readonly<Record<string, SettingInfo>>;
  /** JSON schema of the options. */
  readonly schema: Readonly<Record<string, unknown>>;
  /** Makes the plugin from unchecked options; throws a `HypetuneError` that names a bad one. */
  create(options?: object): MethodPlugin;
}

/** A plugin that a method made. It holds no state, so one may serve any number of trainers. */
export interface MethodPlugin<Options = unknown> extends Plugin {
  readonly method: MethodInfo;
  /** Complete. */
  readonly options: Options;
  /** The options that were given. */
  readonly given: Readonly<Record<string, unknown>>;
}

/** What users call: `hype({ scale: 1e-4 })`. */
export interface Method<G extends object, C> extends MethodInfo {
  (options?: G): MethodPlugin<C>;
}

/** Makes a method from its declaration. Throws a `HypetuneError` when the name is not kebab-case. */
export function defineMethod<const S extends Declarations>(
  declaration: MethodDeclaration<S>,
): Method<Given<S>, Complete<S>> {
  const { name, summary, source, cost, pairs = {}, options: declared } = declaration;
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new HypetuneError(`defineMethod: the name must be kebab-case, as 'my-noise', got '${name}'.`);
  const make = (given: object = {}): MethodPlugin<Complete<S>> => {
    const options = complete(name, declared, given);
    const wrong = declaration.check?.(options);
    if (wrong !== undefined) throw new HypetuneError(`${name}: ${wrong}`);
    return {
      name,
      pairs,
      method,
      options,
      given: { ...given },
      apply: (host) => {
        declaration.apply(host, options);
      },
    };
  };
  const info = { summary, source, cost, pairs, create: make };
  const method = Object.defineProperties(make, {
    name: { value: name, enumerable: true },
    ...Object.fromEntries(Object.entries(info).map(([key, value]) => [key, { value, enumerable: true }])),
    // Made when asked for: most programs never list a method.
    options: { get: () => describeSettings(declared), enumerable: true },
    schema: { get: () => plainSchema(declared), enumerable: true },
  }) as unknown as Method<Given<S>, Complete<S>>;
  return method;
}

/** Whether a module's export is a method. */
export function isMethod(value: unknown): value is MethodInfo {
  return typeof value === 'function' && 'create' in value && 'summary' in value && 'schema' in value;
}

/** Whether a method made the plugin: it is then its options alone, and data can stand for it. */
export function isMethodPlugin(plugin: object): plugin is MethodPlugin {
  return 'method' in plugin && isMethod(plugin.method) && 'given' in plugin;
}

/**
 * Another name for a method with other defaults, as R4F is R3F with the spectral norm. Its plugins bear the method's own name; its source is the
 * method's unless given.
 */
export function variantOf<G extends object, C>(
  method: Method<G, C>,
  info: Pick<MethodInfo, 'name' | 'summary'> & Partial<Pick<MethodInfo, 'source'>>,
  defaults: NoInfer<G>,
): Method<G, C> {
  const make = (given?: G): MethodPlugin<C> => method({ ...defaults, ...given } as G);
  const withDefaults = (settings: object): object =>
    Object.fromEntries(
      Object.entries(settings).map(([key, setting]: [string, object]) => [
        key,
        key in defaults ? { ...setting, default: defaults[key as keyof G] } : setting,
      ]),
    );
  return Object.defineProperties(make, {
    ...Object.getOwnPropertyDescriptors(method),
    ...Object.fromEntries(Object.entries(info).map(([key, value]) => [key, { value, enumerable: true }])),
    create: { value: make, enumerable: true },
    options: { get: () => withDefaults(method.options), enumerable: true },
    schema: {
      get: () => ({ ...method.schema, properties: withDefaults(method.schema['properties'] as object) }),
      enumerable: true,
    },
  }) as unknown as Method<G, C>;
}

/** The JSON schema without the words that are only ours, and without choices that only code can give. */
function plainSchema(declared: Declarations): Record<string, unknown> {
  const ours = (key: string, value: unknown): boolean =>
    ['wanted', 'paper', 'model'].includes(key) && typeof value !== 'object';
  const inData = (choice: object): boolean => Object.keys(choice).length > 0;
  const text = JSON.stringify(jsonSchema(declared), (key, value: unknown) => {
    if (ours(key, value)) return undefined;
    return key === 'anyOf' ? (value as object[]).filter(inData) : value;
  });
  return JSON.parse(text) as Record<string, unknown>;
}
