import type { Tensor } from '@tensorflow/tfjs-core';
import type { WeightMap } from './hooks.js';
import type { Gradients } from './step.js';

/** Gradients or updates with each tensor changed. */
export function mapTensors(tensors: Gradients, change: (tensor: Tensor, name: string) => Tensor): Gradients {
  return Object.fromEntries(Object.entries(tensors).map(([name, tensor]) => [name, change(tensor, name)]));
}

/** Weights with each value changed. */
export function mapWeights(weights: WeightMap, change: (value: Tensor, name: string) => Tensor): WeightMap {
  return new Map([...weights].map(([name, value]) => [name, change(value, name)]));
}
