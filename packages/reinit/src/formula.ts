import * as tf from '@tensorflow/tfjs-core';
import type { ParameterInfo } from '@hypetune/core';
import { randomNormal, type Key } from '@hypetune/ops';

/** Whether a parameter gets a new value: those of the top `layers` of `count` hidden layers, and the pooler's if `pooler`. */
export function isReset(
  parameter: Pick<ParameterInfo, 'site' | 'layer'>,
  count: number,
  layers: number,
  pooler: boolean,
): boolean {
  if (parameter.site === 'pooler') return pooler;
  return parameter.site === 'hidden' && parameter.layer !== undefined && parameter.layer >= count - layers;
}

/** A new value: kernels `N(0, deviation^2)`, biases 0, normalization scale (and variance) 1 and offset (and mean) 0. */
export function freshValue(
  { name, role, shape }: Pick<ParameterInfo, 'name' | 'role' | 'shape'>,
  deviation: number,
  key: Key,
): tf.Tensor {
  if (role === 'kernel' || role === 'embedding') return randomNormal([...shape], key, deviation);
  const scales = role === 'norm' && /(weight|gamma|scale|variance)$/i.test(name);
  return tf.fill([...shape], scales ? 1 : 0);
}
