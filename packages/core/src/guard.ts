import type { TrainerHooks } from './hooks.js';
import { HypetuneError } from './errors.js';

/** What a tap made of the value it was given; seen by `observe`. */
export type Observer = (hook: string, plugin: string, before: unknown, after: unknown) => void;

interface Tap {
  readonly name: string;
  readonly type: string;
  fn: (...values: unknown[]) => unknown;
}

interface Interceptable {
  intercept(interceptor: { register: (tap: Tap) => Tap }): void;
}

const ASYNC = new Set(['afterLoad', 'onFitStart', 'onEpoch', 'onFitEnd']);

/** Makes every tap of a synchronous hook say so when it returned a Promise, and lets `observe` see what taps do. */
export function guardTaps(hooks: TrainerHooks, observe?: Observer): void {
  for (const [hook, target] of Object.entries(hooks) as [string, Interceptable][]) {
    if (ASYNC.has(hook)) continue;
    target.intercept({
      register: (tap) => {
        const { fn, name } = tap;
        return {
          ...tap,
          fn: (...values) => {
            const result = fn(...values);
            if (result instanceof Promise)
              throw new HypetuneError(
                `"${name}" returned a Promise from ${hook}; taps there must be synchronous, move async work to onEpoch.`,
              );
            observe?.(hook, name, values[0], result);
            return result;
          },
        };
      },
    });
  }
}
