import * as tf from '@tensorflow/tfjs-core';
import type { TrainerHooks, WeightMap } from './hooks.js';
import { HypetuneError, show } from './errors.js';

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

/** What a tap had to return, in words, if it did not; `got` where a print of the value would not tell. */
type Fault = (after: unknown, before: unknown) => { wanted: string; got?: string } | undefined;
const unless = (right: boolean, wanted: string, got?: string): ReturnType<Fault> =>
  right ? undefined : { wanted, ...(got !== undefined && { got }) };

const isTensor = (value: unknown): value is tf.Tensor => value instanceof tf.Tensor;
const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !isTensor(value);

const GONE = 'one of this step; what outlives a step goes into host.tensors';
const sameTensor: Fault = (after, before) => {
  const { shape, dtype } = before as tf.Tensor;
  if (isTensor(after) && after.isDisposed) return { got: 'a tensor that was disposed', wanted: GONE };
  return unless(
    isTensor(after) && after.shape.join() === shape.join() && after.dtype === dtype,
    `a ${dtype} tensor of shape [${shape.join(', ')}], as the one it was given`,
  );
};
const scalar: Fault = (after) => unless(isTensor(after) && after.rank === 0, 'a scalar tensor');
const terms: Fault = (after, before) => {
  const wanted =
    'every term it was given and its own, each a scalar tensor: { ...terms, [name]: step.mean(rows) }';
  if (!isRecord(after)) return { wanted };
  const lost = Object.keys(before as object).find((name) => !(name in after));
  if (lost !== undefined) return { wanted, got: `terms without '${lost}'` };
  const odd = Object.entries(after).find(([, term]) => scalar(term, term) !== undefined);
  return odd && { wanted, got: `terms in which '${odd[0]}' is ${describe(odd[1])}` };
};
const sameRecord: Fault = (after, before) => {
  const given = before as Readonly<Record<string, tf.Tensor>>;
  const wanted = 'a tensor for every parameter it was given and no other, zeros for what must not move';
  if (!isRecord(after)) return { wanted };
  const lost = Object.keys(given).find((name) => !(name in after));
  if (lost !== undefined) return { wanted, got: `a record without '${lost}'` };
  const gained = Object.keys(after).find((name) => !(name in given));
  if (gained !== undefined) return { wanted, got: `a record with '${gained}'` };
  const odd = Object.keys(given).find((name) => sameTensor(after[name], given[name]) !== undefined);
  if (odd === undefined) return undefined;
  return { ...sameTensor(after[odd], given[odd])!, got: `${describe(after[odd])} for '${odd}'` };
};
const aFunction: Fault = (after) =>
  unless(typeof after === 'function', 'a function that calls the one it was given');
const decision: Fault = (after) =>
  unless(after === undefined || typeof after === 'boolean', 'true, false or undefined');
const weightMap: Fault = (after, before) => {
  const wanted = 'a map with every weight it was given';
  if (!(after instanceof Map)) return { wanted };
  const lost = [...(before as WeightMap).keys()].find((name) => !isTensor(after.get(name)));
  return lost === undefined ? undefined : { wanted, got: `a map without '${lost}'` };
};
const batch: Fault = (after) =>
  unless(
    isRecord(after) && ['inputs', 'labels', 'weights', 'indices'].every((part) => part in after),
    'the batch: { ...batch, inputs: ... }',
  );

const FAULTS: { readonly [hook in keyof TrainerHooks]?: Fault } = {
  afterLoad: weightMap,
  shouldTrain: decision,
  beforeBatch: batch,
  aroundBackward: aFunction,
  afterWeightRead: sameTensor,
  afterEmbedding: sameTensor,
  beforeLayerForward: sameTensor,
  afterAttentionScores: sameTensor,
  afterAttention: sameTensor,
  afterLayerForward: sameTensor,
  afterLoss: terms,
  beforeBackward: scalar,
  afterBackward: sameRecord,
  afterSchedule: (after) => unless(Number.isFinite(after), 'a finite number'),
  aroundUpdate: aFunction,
  beforeUpdate: sameRecord,
  shouldStop: decision,
  beforeEvaluation: weightMap,
};

const ASYNC: ReadonlySet<string> = new Set([
  'afterLoad',
  'onFitStart',
  'onEvaluation',
  'onPause',
  'onEpoch',
  'onFitEnd',
]);
/** Hooks that run where a value may be read. */
const READABLE: ReadonlySet<string> = new Set([...ASYNC, 'shouldTrain', 'onStep', 'shouldStop']);

/**
 * Makes mistakes in taps speak: what is thrown, returned or read wrongly names the plugin, the hook, what came and what was
 * wanted. `observe` sees what taps do; `mayRead`: values may be read in a step, which is not compiled. Frees the weights that one
 * tap of `afterLoad` made and a later one replaced.
 */
export function guardTaps(hooks: TrainerHooks, mayRead: boolean, observe?: Observer): void {
  for (const [hook, target] of Object.entries(hooks) as [keyof TrainerHooks, Interceptable][])
    target.intercept({
      register: (tap) => ({
        ...tap,
        fn: (...values) => {
          const { name, fn } = tap;
          const check = (result: unknown): unknown => {
            const fault = FAULTS[hook]?.(result, values[0]);
            if (fault !== undefined)
              throw new HypetuneError(
                `"${name}" returned ${fault.got ?? describe(result)} from ${hook}; it must return ${fault.wanted}.`,
              );
            if (hook === 'afterLoad') freeReplaced(values[0] as WeightMap, result as WeightMap);
            observe?.(hook, name, values[0], result);
            return result;
          };
          const result = speaking(name, hook, () =>
            mayRead || READABLE.has(hook) ? fn(...values) : withoutReading(name, hook, () => fn(...values)),
          );
          if (!(result instanceof Promise)) return check(result);
          if (ASYNC.has(hook)) return result.then(check, (error: unknown) => named(error, name, hook));
          throw new HypetuneError(
            `"${name}" returned a Promise from ${hook}; taps there must be synchronous, move async work to onEpoch.`,
          );
        },
      }),
    });
}

/** The same hooks; asking for one that is not there names those that are. */
export function namedHooks(hooks: TrainerHooks): TrainerHooks {
  return new Proxy(hooks, {
    get: (target, property) => {
      if (typeof property === 'symbol' || property in target) return Reflect.get(target, property) as unknown;
      throw new HypetuneError(`there is no hook '${property}'; there are ${Object.keys(target).join(', ')}.`);
    },
  });
}

function speaking<T>(plugin: string, hook: string, f: () => T): T {
  try {
    return f();
  } catch (error) {
    return named(error, plugin, hook);
  }
}

/** Throws the error again, under the name of plugin and hook unless it is one of ours. */
function named(error: unknown, plugin: string, hook: string): never {
  if (error instanceof HypetuneError) throw error;
  const message = error instanceof Error ? error.message : String(error);
  const gone = /reading 'backend'|is disposed/.test(message)
    ? ` (a tensor of an earlier step is gone; it must be ${GONE})`
    : '';
  throw new HypetuneError(`"${plugin}" threw in ${hook}: ${message}${gone}`, { cause: error });
}

/** Runs a tap in a step, where a compiled one has no values yet: reading them is an error on every engine. */
function withoutReading<T>(plugin: string, hook: string, f: () => T): T {
  const prototype = tf.Tensor.prototype as unknown as Record<'dataSync' | 'data', () => never>;
  const { dataSync, data } = prototype;
  prototype.dataSync = prototype.data = () => {
    throw new HypetuneError(
      `"${plugin}" read a tensor's values in ${hook}; inside a step there are none yet. Compute with tensors (numbers arrive in onStep), or look with compile: false.`,
    );
  };
  try {
    return f();
  } finally {
    Object.assign(prototype, { dataSync, data });
  }
}

function describe(value: unknown): string {
  if (isTensor(value)) return `a ${value.dtype} tensor of shape [${value.shape.join(', ')}]`;
  return isRecord(value) ? `an object of ${Object.keys(value).length} entries` : show(value);
}

/** Disposes the values that are gone, except the model's own variables. */
function freeReplaced(before: WeightMap, after: WeightMap): void {
  for (const [name, value] of before)
    if (after.get(name) !== value && !(value instanceof tf.Variable)) value.dispose();
}
