import { type DataType, type Tensor, ones, tensor, zeros } from '@tensorflow/tfjs-core';
import { initializers } from '@tensorflow/tfjs-layers';
import { type Key, randomNormal } from '@hypetune/ops';

/** An initializer of tfjs-layers. */
export type Initializer = ReturnType<typeof initializers.zeros>;

/** Starting values of one weight: drawn from N(0, deviation^2) by key, so that no other weight's draw shifts them. */
export function keyedInitializer(
  start: 'normal' | 'zeros' | 'ones' | 'sinusoids',
  deviation: number,
  key: Key,
): Initializer {
  const initializer = initializers.zeros();
  initializer.apply = (shape: number[], dtype?: DataType): Tensor => {
    if (start === 'normal') return randomNormal(shape, key, deviation);
    if (start === 'sinusoids') return sinusoids(shape[0]!, shape[1]!);
    return start === 'ones' ? ones(shape, dtype) : zeros(shape, dtype);
  };
  return initializer;
}

/** Vaswani et al. (2017): sin(p / 10000^(2 i / H)) in feature 2 i of position p, the cosine in feature 2 i + 1; [positions, H]. */
function sinusoids(positions: number, size: number): Tensor {
  const values = new Float32Array(positions * size);
  for (let place = 0; place < values.length; place++) {
    const feature = place % size;
    const angle = Math.floor(place / size) / 10000 ** ((2 * Math.floor(feature / 2)) / size);
    values[place] = feature % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  }
  return tensor(values, [positions, size]);
}
