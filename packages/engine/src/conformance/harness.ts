import * as tf from '@tensorflow/tfjs-core';

/** An input of a case; its values follow from its place and shape alone. */
export interface Input {
  shape: number[];
  dtype: 'float32' | 'int32' | 'bool';
  values: number[];
}

/** One operation on one set of inputs. */
export interface Case {
  name: string;
  inputs: Input[];
  run: (...inputs: tf.Tensor[]) => tf.Tensor | tf.Tensor[];
  /** Whether to compare gradients for the float32 inputs too. Default true. */
  gradient?: boolean;
  /** Largest difference relative to 1 + |wanted|. Default 2e-5. */
  tolerance?: number;
}

/** Numbers between low and high that repeat only after thousands: multiplicative hashing (Knuth). */
function numbers(size: number, low: number, high: number, seed: number): number[] {
  return Array.from({ length: size }, (_, i) => {
    const hash = Math.imul(i + 1 + 977 * seed, 2654435761) >>> 8;
    return low + (high - low) * (hash / 2 ** 24);
  });
}

const sizeOf = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);

/** A float32 input with values in [low, high). */
export function float(shape: number[], low = -2, high = 2, seed = 1): Input {
  return { shape, dtype: 'float32', values: numbers(sizeOf(shape), low, high, seed) };
}

/** An int32 input with values in [low, high). */
export function int(shape: number[], low = -5, high = 6, seed = 2): Input {
  return { shape, dtype: 'int32', values: numbers(sizeOf(shape), low, high, seed).map(Math.floor) };
}

/** A bool input. */
export function bool(shape: number[], seed = 3): Input {
  return { shape, dtype: 'bool', values: numbers(sizeOf(shape), 0, 2, seed).map(Math.floor) };
}

/** A float32 input with these values. */
export function floats(values: number[], shape: number[] = [values.length]): Input {
  return { shape, dtype: 'float32', values };
}

/** An int32 input with these values. */
export function ints(values: number[], shape: number[] = [values.length]): Input {
  return { shape, dtype: 'int32', values };
}

/** What a case gave on one backend. */
export interface Result {
  shape: number[];
  dtype: string;
  values: number[];
}

const isFloat = (tensor: tf.Tensor): boolean => tensor.dtype === 'float32';

/** How a step is run. */
export type Run = <T extends tf.TensorContainer>(step: () => T) => T;

/** Runs a case on the current backend: its outputs, then the gradients for its float32 inputs. */
export function evaluate({ inputs, run, gradient = true }: Case, record: Run = (step) => step()): Result[] {
  const results: Result[] = [];
  tf.tidy(() => {
    const given = inputs.map(({ shape, dtype, values }) => tf.tensor(values, shape, dtype));
    const outputs = record(() => [run(...given)].flat());
    for (const output of outputs)
      results.push({ shape: output.shape, dtype: output.dtype, values: Array.from(output.dataSync()) });
    const floating = given.filter(isFloat);
    if (!gradient || floating.length === 0 || !outputs.some(isFloat)) return;
    const total = (...changing: tf.Tensor[]): tf.Scalar => {
      const all = given.map((tensor) => (isFloat(tensor) ? changing.shift()! : tensor));
      const terms = [run(...all)].flat().filter(isFloat);
      return tf.addN(
        terms.map((term, i) =>
          tf.sum(tf.mul(term, tf.tensor(float(term.shape, -1, 1, 7 + i).values, term.shape))),
        ),
      ) as tf.Scalar;
    };
    for (const change of record(() => tf.grads(total)(floating)))
      results.push({ shape: change.shape, dtype: change.dtype, values: Array.from(change.dataSync()) });
  });
  return results;
}

/** How two runs of a case differ, or undefined. */
export function difference(got: Result[], wanted: Result[], tolerance = 2e-5): string | undefined {
  if (got.length !== wanted.length) return `${got.length} results, wanted ${wanted.length}`;
  for (const [index, one] of got.entries()) {
    const other = wanted[index]!;
    const what = `result ${index}`;
    if (one.shape.join() !== other.shape.join())
      return `${what}: shape [${one.shape.join()}], wanted [${other.shape.join()}]`;
    if (one.dtype !== other.dtype) return `${what}: ${one.dtype}, wanted ${other.dtype}`;
    for (const [at, value] of one.values.entries()) {
      const want = other.values[at]!;
      const same =
        Object.is(value, want) ||
        value === want ||
        Math.abs(value - want) <= tolerance * (1 + Math.abs(want));
      if (!same) return `${what}, element ${at} of [${one.shape.join()}]: ${value}, wanted ${want}`;
    }
  }
  return undefined;
}
