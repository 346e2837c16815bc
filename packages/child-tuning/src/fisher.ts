import * as tf from '@tensorflow/tfjs-core';
import type { PluginHost, Run } from '@hypetune/core';
import { fisherMask, quantile, squaredGradient } from './formula.js';

/**
 * Fills the plugin's tensors: for every trained weight of the hidden layers, other plugins' among them, a mask, 1 where its Fisher information over
 * one pass through the data is among the highest `reserve` of all of them. A run that goes on keeps its masks; weights that only it trains get theirs
 * among themselves.
 */
export async function fixMasks(host: PluginHost, run: Run, reserve: number, clip: number): Promise<void> {
  const store = host.tensors;
  const hidden = run.parameters.filter(({ layer }) => layer !== undefined);
  if (hidden.length === 0) host.warn('mode D masks weights of hidden layers, and the run trains none.');
  const masked = run.resumed ? hidden.filter(({ name }) => !store.get(name)) : hidden;
  if (masked.length === 0) return;
  for (const { name, shape } of masked) store.set(name, tf.zeros([...shape]));
  await run.eachGradient((gradients, _, batches) => {
    for (const { name } of masked)
      store.set(name, tf.add(store.get(name)!, tf.div(squaredGradient(gradients[name]!, clip), batches)));
  });
  const fisher = await Promise.all(masked.map(({ name }) => store.get(name)!.data<'float32'>()));
  const threshold = quantile(fisher, 1 - reserve);
  for (const { name } of masked)
    store.set(
      name,
      tf.tidy(() => fisherMask(store.get(name)!, threshold)),
    );
}
