import { type Tensor, add, mul, reshape, reverse, serialization, slice, tensor } from '@tensorflow/tfjs-core';
import { type Shape, layers } from '@tensorflow/tfjs-layers';

/** What the angles are configured by. */
export interface RotaryAnglesConfig {
  readonly name: string;
  /** Base of the wave lengths. */
  readonly theta: number;
  /** Features of one head. */
  readonly headSize: number;
}

/**
 * What turns the features of the positions p of an input [B, T] by the angles p / theta^(2 i / size) (Su et al., 2021), i
 * below size / 2: the cosines for both halves of the features, then the sines, negative for the first half;
 * [2, T, 2, size / 2]. Rounded to float32 where the reference rounds.
 */
export class RotaryAngles extends layers.Layer {
  static readonly className = 'RotaryAngles';
  private readonly tables = new Map<number, Float32Array>();

  constructor(private readonly config: RotaryAnglesConfig) {
    super({ name: config.name });
  }

  override computeOutputShape([, length]: Shape): Shape {
    return [2, length!, 2, this.config.headSize / 2];
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.config };
  }

  override call(inputs: Tensor | Tensor[]): Tensor {
    const length = (Array.isArray(inputs) ? inputs[0]! : inputs).shape[1]!;
    const { theta, headSize } = this.config;
    let table = this.tables.get(length);
    if (!table) this.tables.set(length, (table = rotaryTable(theta, length, headSize / 2)));
    return tensor(table, [2, length, 2, headSize / 2]);
  }
}

/** By how much each of the `half` angles grows from one position to the next, rounded to float32 where the reference rounds. */
export function rotaryFrequencies(theta: number, half: number): Float32Array {
  return Float32Array.from({ length: half }, (_, i) => 1 / Math.fround(theta ** Math.fround(i / half)));
}

function rotaryTable(theta: number, length: number, half: number): Float32Array {
  const table = new Float32Array(4 * length * half);
  for (const [i, frequency] of rotaryFrequencies(theta, half).entries()) {
    for (let position = 0; position < length; position++) {
      const angle = Math.fround(position * frequency);
      const [cosines, sines] = [2 * position * half + i, 2 * (length + position) * half + i];
      table[cosines] = table[cosines + half] = Math.cos(angle);
      table[sines + half] = Math.sin(angle);
      table[sines] = -table[sines + half]!;
    }
  }
  return table;
}

/**
 * `x` [B, T, heads * size], each pair of features i and i + size / 2 of each head turned by the angle of its position:
 * (a, b) becomes (a cos - b sin, b cos + a sin). `angles` come from {@link RotaryAngles}.
 */
export function rotate(x: Tensor, angles: Tensor, heads: number): Tensor {
  const [batch, length, features] = x.shape as [number, number, number];
  const half = features / heads / 2;
  const row = (index: number): Tensor =>
    reshape(slice(angles, [index, 0, 0, 0], [1, length, 2, half]), [length, 1, 2, half]);
  const pairs = reshape(x, [batch, length, heads, 2, half]);
  return reshape(add(mul(pairs, row(0)), mul(reverse(pairs, 3), row(1))), x.shape);
}

serialization.registerClass(RotaryAngles);
