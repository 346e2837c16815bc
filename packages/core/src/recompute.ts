import * as tf from '@tensorflow/tfjs-core';
import { holdBack } from '@hypetune/ops';
import { offTape } from './math/tape.js';

/**
 * `value`, which is `f(inputs)` computed off the tape, on it without keeping what `f` computes on the way: `f` runs again when the
 * gradient is taken (Chen et al., 2016, arXiv:1604.06174), so it must compute the same then, draws included. `inputs[0]` is a
 * float tensor; `weights` are what else `f` reads and is to be differentiated by; they must live until then.
 */
export function recomputed(
  value: tf.Tensor,
  f: (inputs: readonly tf.Tensor[]) => tf.Tensor,
  inputs: readonly tf.Tensor[],
  weights: readonly tf.Tensor[],
): tf.Tensor {
  const isFloat = ({ dtype }: tf.Tensor): boolean => dtype === 'float32';
  const operation = tf.customGrad((...given) => {
    (given.at(-1) as tf.GradSaveFunc)([...inputs]);
    const gradFunc = (gradient: tf.Tensor, saved: tf.Tensor[]): tf.Tensor[] =>
      offTape(() =>
        tf.tidy(() => {
          const [first, arrived] = holdBack(saved[0]!, gradient);
          const again = [first, ...saved.slice(1)];
          const xs = [...again.filter(isFloat), ...weights];
          const { grads } = tf.engine().gradients(() => f(again), xs, arrived, true);
          return xs.map((x, place) => (grads as (tf.Tensor | null)[])[place] ?? tf.zerosLike(x));
        }),
      );
    return { value, gradFunc };
  });
  return operation(...inputs.filter(isFloat), ...weights);
}
