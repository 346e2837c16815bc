import * as tf from '@tensorflow/tfjs-core';
import type { Host } from './host.js';
import type { Position } from './hooks.js';
import { isTapped } from './taps.js';

/** The weights that are to be measured and saved, where they are not those being trained; the caller's to dispose. */
function evaluatedWeights(host: Host, position: Position): ReadonlyMap<tf.Variable, tf.Tensor> {
  const { hooks, allParameters } = host;
  if (!isTapped(hooks.beforeEvaluation)) return new Map();
  const changed = new Map<tf.Variable, tf.Tensor>();
  tf.tidy(() => {
    const before = new Map(allParameters.map(({ name, variable }) => [name, variable as tf.Tensor]));
    const after = hooks.beforeEvaluation.call(before, position);
    for (const { name, variable } of allParameters) {
      const value = after.get(name)!;
      if (value !== variable) changed.set(variable, tf.keep(tf.clone(value)));
    }
  });
  return changed;
}

/** Hosts whose model holds evaluated weights now. */
const holding = new WeakSet<Host>();

/** Runs `f` while the model holds the weights that `beforeEvaluation` makes; afterwards it trains on from its own. */
export async function withEvaluatedWeights<T>(
  host: Host,
  position: Position,
  f: () => Promise<T>,
): Promise<T> {
  if (holding.has(host)) return f();
  const evaluated = evaluatedWeights(host, position);
  const own = new Map([...evaluated.keys()].map((variable) => [variable, tf.keep(tf.clone(variable))]));
  assignAll(evaluated);
  holding.add(host);
  try {
    return await f();
  } finally {
    holding.delete(host);
    assignAll(own);
  }
}

/** Leaves the model with the weights that `beforeEvaluation` makes. */
export function takeEvaluatedWeights(host: Host, position: Position): void {
  assignAll(evaluatedWeights(host, position));
}

function assignAll(values: ReadonlyMap<tf.Variable, tf.Tensor>): void {
  for (const [variable, value] of values) {
    variable.assign(value);
    value.dispose();
  }
}
