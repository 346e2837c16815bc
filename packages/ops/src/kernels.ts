import * as tf from '@tensorflow/tfjs-core';

/**
 * The kernels that a backend may register (`tf.registerKernel`) to make these operations fast. An operation looks its kernels
 * up by name for the current backend and is composed of plain operations where one is missing; both give the same values, a
 * draw to the last bit, the rest to rounding. All tensors are float32 unless said otherwise; `?` marks an input that may be
 * absent. Gradient kernels get no tape: second derivatives need `composed`.
 *
 * | kernel | inputs | attributes | outputs |
 * |---|---|---|---|
 * | KeyedDraw | parameters int32 [5] | distribution, shape | draw [shape] |
 * | Linear | x [..., I], kernel [I, O], bias? [O] | | x kernel + bias [..., O] |
 * | LinearInputGradient | gradient [..., O], kernel [I, O] | | gradient kernel^T [..., I] |
 * | LinearKernelGradient | x [..., I], gradient [..., O] | | x^T gradient over all rows [I, O] |
 * | LinearBiasGradient | gradient [..., O] | | its sum over all rows [O] |
 * | LayerNorm | x [..., H], scale [H], offset [H] | epsilon | [..., H] |
 * | LayerNormGradient | gradient [..., H], x [..., H], scale [H] | epsilon | for x [..., H], scale [H], offset [H] |
 * | Gelu | x | | x (1 + erf(x / sqrt 2)) / 2 |
 * | GeluGradient | gradient, x | | for x |
 * | Attention | query [B, Q, H], key and value [B, K, H], maskBias?, mask? | heads | [B, Q, H] |
 * | AttentionGradient | gradient [B, Q, H] and the inputs of Attention | heads | for query, key, value |
 * | SoftmaxCrossEntropy | labels [B, C], logits [B, C] | | loss of each row [B] |
 * | SoftmaxCrossEntropyGradient | gradient [B], labels, logits | | for logits [B, C] |
 * | SumOfSquares | x | | the sum of the squares of all entries [] |
 * | HoldBack | x, gradient | | the same two, computed of by nothing before both are there |
 * | AdamwUpdate | gradient, firstMoment, secondMoment, parameter; scalars stepSize, secondScale, decay | beta1, beta2, epsilon | update, firstMoment, secondMoment |
 *
 * KeyedDraw's parameters are [key0, key1, offset, width, bits of the float32 scale]; `drawOnHost` says what to do with them.
 * Attention's `maskBias` broadcasts to the scores [B, heads, Q, K] and is added to them; `mask` [B, heads, Q, K] multiplies
 * the probabilities (dropout: 0 or 1 / (1 - rate)). AttentionGradient computes the probabilities anew: that costs one small
 * product where kernels run one by one, nothing where a compiler sees both, and spares keeping them.
 */
export type KernelName =
  | 'KeyedDraw'
  | 'Linear'
  | 'LinearInputGradient'
  | 'LinearKernelGradient'
  | 'LinearBiasGradient'
  | 'LayerNorm'
  | 'LayerNormGradient'
  | 'Gelu'
  | 'GeluGradient'
  | 'Attention'
  | 'AttentionGradient'
  | 'SoftmaxCrossEntropy'
  | 'SoftmaxCrossEntropyGradient'
  | 'SumOfSquares'
  | 'HoldBack'
  | 'AdamwUpdate';

/** Attributes of KeyedDraw. */
export interface KeyedDrawAttributes {
  readonly distribution: 'normal' | 'uniform' | 'bernoulli';
  readonly shape: number[];
}

/** Attributes of LayerNorm and LayerNormGradient. */
export interface LayerNormAttributes {
  readonly epsilon: number;
}

/** Attributes of Attention and AttentionGradient. */
export interface AttentionAttributes {
  readonly heads: number;
}

/** Attributes of AdamwUpdate. */
export interface AdamwUpdateAttributes {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
}

let compositionsOnly = 0;

/**
 * Runs `f` with every fused operation composed of plain ones, whatever kernels there are: for second derivatives (of which tfjs
 * alone loses some, see softmax.ts) and to check a kernel. All derivatives have to be taken inside. Draws keep their kernel:
 * they give the same bits.
 */
export function composed<T>(f: () => T): T {
  compositionsOnly++;
  try {
    return f();
  } finally {
    compositionsOnly--;
  }
}

/** Whether the current backend has all of these kernels, and kernels are wanted. */
export function useKernels(...names: KernelName[]): boolean {
  return !compositionsForced() && names.every(hasKernel);
}

/** Whether we are inside `composed`. */
export function compositionsForced(): boolean {
  return compositionsOnly > 0;
}

/** Whether the current backend has this kernel. */
export function hasKernel(name: KernelName): boolean {
  return (tf.getKernel(name, tf.getBackend()) as tf.KernelConfig | undefined) !== undefined;
}

/** Runs one kernel of the current backend; undefined inputs are left out. */
export function runKernel(
  name: KernelName,
  inputs: Record<string, tf.Tensor | undefined>,
  attributes: tf.NamedAttrMap = {},
): tf.Tensor[] {
  const given: tf.NamedTensorMap = {};
  for (const input of Object.keys(inputs)) if (inputs[input] !== undefined) given[input] = inputs[input];
  const result = tf.engine().runKernel<tf.Tensor | tf.Tensor[]>(name, given, attributes);
  return Array.isArray(result) ? result : [result];
}

/**
 * A differentiable operation from kernels. `forward` gives the output, `backward` the gradients for `inputs`, in their order,
 * from the output's gradient and the tensors kept for it (`saved`).
 */
export function withGradient(
  inputs: tf.Tensor[],
  saved: tf.Tensor[],
  forward: () => tf.Tensor,
  backward: (gradient: tf.Tensor, saved: tf.Tensor[]) => tf.Tensor[],
): tf.Tensor {
  const operation = tf.customGrad((...given) => {
    (given.at(-1) as tf.GradSaveFunc)(saved);
    return { value: forward(), gradFunc: backward };
  });
  return operation(...inputs);
}
