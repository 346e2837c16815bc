import * as tf from '@tensorflow/tfjs-core';
import { mapWeights } from './by-name.js';
import { parameterState } from './parameter-state.js';
import type { ParameterInfo } from './parameters.js';
import type { PluginHost } from './plugin.js';
import { EVALUATION_STAGE } from './stages.js';
import type { Step } from './step.js';
import { copyOf } from './stores.js';

/** `average + share (value - average)`; any shape. */
export function movedAverage(average: tf.Tensor, value: tf.Tensor, share: tf.Scalar): tf.Tensor {
  return tf.add(average, tf.mul(share, tf.sub(value, average)));
}

/**
 * Keeps an average of everything the run trains, and has it measured, kept as best and saved: each update moves it `share` (0 to 1)
 * of the way to the new weights. The operations are the same at every step, so that it compiles once.
 */
export function averageWeights(host: PluginHost, share: (step: Step) => number): void {
  const { name, hooks, tensors } = host;
  let averaged: readonly ParameterInfo[] = [];
  const averages = parameterState(host, (parameter) => copyOf(host.value(parameter)));
  hooks.onFitStart.tap(name, ({ parameters }) => {
    averaged = parameters;
  });
  hooks.onUpdate.tap(name, (step) => {
    const moved = tf.scalar(share(step));
    for (const parameter of averaged)
      averages.set(parameter, movedAverage(averages.get(parameter), host.value(parameter), moved));
  });
  hooks.beforeEvaluation.tap({ name, stage: EVALUATION_STAGE.AVERAGE }, (weights) =>
    mapWeights(weights, (value, weight) => tensors.get(weight) ?? value),
  );
}
