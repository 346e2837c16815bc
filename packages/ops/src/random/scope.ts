import type { Key } from './threefry.js';

/** What a layer needs to know to draw: set by whoever runs the forward pass, read by the layers in it. */
export interface DrawScope {
  /** Key of this pass; a layer folds its own name into it. */
  readonly key: Key;
  /** Whether dropout and other training noise are on. */
  readonly training: boolean;
  /** The dropout rate to use where a layer declares `declared`. */
  rate(kind: 'hidden' | 'attention', declared: number): number;
}

let current: DrawScope | undefined;

/** Runs `f` with `scope` as the current one. Scopes nest; the outer one is back afterwards, also if `f` throws. */
export function withDraws<T>(scope: DrawScope, f: () => T): T {
  const outer = current;
  current = scope;
  try {
    return f();
  } finally {
    current = outer;
  }
}

/** The innermost scope, or undefined outside of any `withDraws`. */
export function currentDraws(): DrawScope | undefined {
  return current;
}
