import * as tf from '@tensorflow/tfjs-core';
import type { TrainerHooks, WeightMap } from './hooks.js';
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

/**
 * Makes every tap of a synchronous hook say so when it returned a Promise, and lets `observe` see what taps do. Frees the
 * weights that one tap of `afterLoad` made and a later one replaced.
 */
export function guardTaps(hooks: TrainerHooks, observe?: Observer): void {
  (hooks.afterLoad as unknown as Interceptable).intercept({
    register: (tap) => ({
      ...tap,
      fn: (weights, ...rest) => {
        const free = (after: unknown): unknown => {
          if (after instanceof Map) freeReplaced(weights as WeightMap, after as WeightMap);
          return after;
        };
        const result = tap.fn(weights, ...rest);
        return result instanceof Promise ? result.then(free) : free(result);
      },
    }),
  });
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

/** Disposes the values that are gone, except the model's own variables. */
function freeReplaced(before: WeightMap, after: WeightMap): void {
  for (const [name, value] of before)
    if (after.get(name) !== value && !(value instanceof tf.Variable)) value.dispose();
}
