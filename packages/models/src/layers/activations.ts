import { type Tensor, add, mul, relu, sigmoid, square, tanh } from '@tensorflow/tfjs-core';
import { gelu } from '@hypetune/ops';

/** GELU by the tangent (Hendrycks, Gimpel 2016): x (1 + tanh u) / 2 = x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3). */
function tangentGelu(x: Tensor): Tensor {
  const slope = 2 * Math.sqrt(2 / Math.PI);
  return mul(x, sigmoid(mul(x, add(mul(square(x), slope * 0.044715), slope))));
}

/** x sigmoid(x), also called swish (Elfwing et al. 2018). */
const silu = (x: Tensor): Tensor => mul(x, sigmoid(x));

/** An activation's name in a checkpoint's configuration. */
export type Activation =
  | 'gelu'
  | 'gelu_fast'
  | 'gelu_new'
  | 'gelu_python'
  | 'gelu_pytorch_tanh'
  | 'relu'
  | 'silu'
  | 'swish'
  | 'tanh';

/** The activations by the names that `transformers` gives them; `gelu` is the exact form with the error function. */
export const ACTIVATIONS: Readonly<Record<Activation, (x: Tensor) => Tensor>> = {
  gelu,
  gelu_fast: tangentGelu,
  gelu_new: tangentGelu,
  gelu_python: gelu,
  gelu_pytorch_tanh: tangentGelu,
  relu,
  silu,
  swish: silu,
  tanh,
};
