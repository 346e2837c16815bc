import { type DataType, type Tensor, ones, zeros } from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { type Key, randomNormal } from '@hypetune/ops';

/** An initializer of tfjs-layers. */
export type Initializer = ReturnType<typeof initializers.zeros>;

/** Starting values of one weight: drawn from N(0, deviation^2) by key, so that no other weight's draw shifts them. */
export function keyedInitializer(
  start: 'normal' | 'zeros' | 'ones',
  deviation: number,
  key: Key,
): Initializer {
  const initializer = initializers.zeros();
  initializer.apply = (shape: number[], dtype?: DataType): Tensor => {
    if (start === 'normal') return randomNormal(shape, key, deviation);
    return start === 'ones' ? ones(shape, dtype) : zeros(shape, dtype);
  };
  return initializer;
}
