import type { Attribute } from './attribute.js';
import type { TypedArray, Values } from './data-types.js';
import type { Value } from './value.js';
import type { Kernel } from './kernel.js';
import type { CompiledStep, Node } from './platform.js';

/** Reference of an input that is a constant of the graph. Others: n >= 0 the n-th recorded result, -n-1 the n-th feed. */
export const CONSTANT: number = -(2 ** 31);

/** An input of a recorded operation. */
export interface Input {
  readonly reference: number;
  readonly dtype: number;
  readonly shape: readonly number[];
  /** Values of a constant. */
  readonly values: Values | undefined;
  /** Its place in the graph. */
  readonly node: Node;
}

/** One recorded operation after the ones on its path from the root; recordings with the same beginning share it. */
export interface Entry {
  readonly name: string;
  /** Digest of the path from the root: the same in every process, whatever else was recorded before. */
  readonly path: string;
  readonly kernel: Kernel | undefined;
  readonly attributes: readonly Attribute[];
  readonly inputs: readonly Input[];
  readonly outputs: readonly Node[];
  /** Graph operations that this entry added. */
  readonly operations: readonly number[];
  /** Why this operation is run at once instead of being recorded. */
  readonly refusal: string | undefined;
  readonly children: Entry[];
  /** Functions of the recordings that end here. */
  readonly functions: CompiledStep[];
}

/** An entry that starts a trie. */
export function rootEntry(): Entry {
  return {
    name: '',
    path: '',
    kernel: undefined,
    attributes: [],
    inputs: [],
    outputs: [],
    operations: [],
    refusal: undefined,
    children: [],
    functions: [],
  };
}

export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  if (a === b) return true;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

export function sameAttributes(a: readonly Attribute[], b: readonly Attribute[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    const x = a[i]!;
    const y = b[i]!;
    if (x.name !== y.name) return false;
    if (x.value === y.value) continue;
    if (!Array.isArray(x.value) || !Array.isArray(y.value)) return false;
    if (!sameList(x.value, y.value)) return false;
  }
  return true;
}

function sameList(a: readonly unknown[], b: readonly unknown[]): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) {
    if (a[i] === b[i]) continue;
    if (!Array.isArray(a[i]) || !Array.isArray(b[i]) || !sameList(a[i] as unknown[], b[i] as unknown[]))
      return false;
  }
  return true;
}

/** Whether a value from JavaScript equals a constant of the graph. */
export function sameConstant(input: Input, value: Value): boolean {
  if (value.host === undefined || value.dtype !== input.dtype || !sameShape(value.shape, input.shape))
    return false;
  const a = input.values as TypedArray;
  const b = value.host as TypedArray;
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false;
  return true;
}

/** Removes the entries of some operations from a trie: they will be met as new ones. */
export function forget(entry: Entry, names: ReadonlySet<string>): void {
  for (let stack = [entry]; stack.length > 0;) {
    const { children } = stack.pop()!;
    for (let i = children.length - 1; i >= 0; i--) {
      if (names.has(children[i]!.name)) children.splice(i, 1);
      else stack.push(children[i]!);
    }
  }
}
