import type { Plugin } from './plugin.js';

/** One option of a method, for listings and config files. */
export interface MethodOption {
  readonly type: 'number' | 'boolean' | 'string' | 'number[]' | 'string[]';
  /** Printed as it stands; undefined for an option without a default. */
  readonly default: number | boolean | string | readonly number[] | readonly string[] | undefined;
  /** What it is, with its unit or range. */
  readonly doc: string;
  readonly choices?: readonly string[];
}

/** A method as data: what listings, config files and generated docs are made from. */
export interface MethodInfo {
  /** The plugin's name, kebab-case. */
  readonly name: string;
  /** One line: what it does, with authors and year. */
  readonly summary: string;
  readonly options: Readonly<Record<string, MethodOption>>;
  /** Extra forward and backward passes a step costs, in words. */
  readonly cost: string;
  /** Makes the plugin; throws a `HypetuneError` that names a bad option. */
  create(options: Readonly<Record<string, unknown>>): Plugin;
}
