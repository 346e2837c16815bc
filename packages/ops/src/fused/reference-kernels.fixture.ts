// The kernels of kernels.ts written out with plain operations and gradients by hand, for tests: they stand for a backend's.
import * as tf from '@tensorflow/tfjs-core';
import type { KernelName } from '../kernels.js';

type Inputs = Record<string, tf.Tensor>;

const rows = (x: tf.Tensor): tf.Tensor2D => tf.reshape(x, [-1, x.shape.at(-1)!]);
const normalized = (x: tf.Tensor, epsilon: number): { unit: tf.Tensor; inverse: tf.Tensor } => {
  const { mean, variance } = tf.moments(x, -1, true);
  const inverse = tf.rsqrt(tf.add(variance, epsilon));
  return { unit: tf.mul(tf.sub(x, mean), inverse), inverse };
};
const split = (x: tf.Tensor, heads: number): tf.Tensor =>
  tf.transpose(tf.reshape(x, [x.shape[0]!, x.shape[1]!, heads, -1]), [0, 2, 1, 3]);
const merge = (x: tf.Tensor): tf.Tensor =>
  tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [x.shape[0]!, x.shape[2]!, x.shape[1]! * x.shape[3]!]);
const probabilities = ({ query, key, maskBias }: Inputs, heads: number): tf.Tensor => {
  const size = query!.shape[2]! / heads;
  const scores = tf.div(tf.matMul(split(query!, heads), split(key!, heads), false, true), Math.sqrt(size));
  return tf.softmax(maskBias ? tf.add(scores, maskBias) : scores);
};
const kept = (p: tf.Tensor, mask: tf.Tensor | undefined): tf.Tensor => (mask ? tf.mul(p, mask) : p);

const kernels: Partial<
  Record<KernelName, (inputs: Inputs, attributes: Record<string, number>) => tf.Tensor | tf.Tensor[]>
> = {
  Linear: ({ x, kernel, bias }) => {
    const y = tf.matMul(rows(x!), kernel!);
    return tf.reshape(bias ? tf.add(y, bias) : y, [...x!.shape.slice(0, -1), kernel!.shape[1]!]);
  },
  LinearInputGradient: ({ gradient, kernel }) =>
    tf.reshape(tf.matMul(rows(gradient!), kernel!, false, true), [
      ...gradient!.shape.slice(0, -1),
      kernel!.shape[0]!,
    ]),
  LinearKernelGradient: ({ x, gradient }) => tf.matMul(rows(x!), rows(gradient!), true),
  LinearBiasGradient: ({ gradient }) => tf.sum(rows(gradient!), 0),
  LayerNorm: ({ x, scale, offset }, { epsilon }) =>
    tf.add(tf.mul(normalized(x!, epsilon!).unit, scale!), offset!),
  LayerNormGradient: ({ gradient, x, scale }, { epsilon }) => {
    const { unit, inverse } = normalized(x!, epsilon!);
    const inner = tf.mul(gradient!, scale!);
    const along = tf.mul(unit, tf.mean(tf.mul(inner, unit), -1, true));
    const forX = tf.mul(inverse, tf.sub(tf.sub(inner, tf.mean(inner, -1, true)), along));
    return [forX, tf.sum(rows(tf.mul(gradient!, unit)), 0), tf.sum(rows(gradient!), 0)];
  },
  SumOfSquares: ({ x }) => tf.sum(tf.mul(x!, x!)),
  Gelu: ({ x }) => tf.div(tf.mul(x!, tf.add(1, tf.erf(tf.div(x!, Math.SQRT2)))), 2),
  GeluGradient: ({ gradient, x }) => {
    const cumulative = tf.div(tf.add(1, tf.erf(tf.div(x!, Math.SQRT2))), 2);
    const density = tf.div(tf.exp(tf.div(tf.square(x!), -2)), Math.sqrt(2 * Math.PI));
    return tf.mul(gradient!, tf.add(cumulative, tf.mul(x!, density)));
  },
  Attention: (inputs, { heads }) =>
    merge(tf.matMul(kept(probabilities(inputs, heads!), inputs.mask), split(inputs.value!, heads!))),
  AttentionGradient: (inputs, { heads }) => {
    const [q, k, v] = [inputs.query!, inputs.key!, inputs.value!].map((x) => split(x, heads!)) as [
      tf.Tensor,
      tf.Tensor,
      tf.Tensor,
    ];
    const p = probabilities(inputs, heads!);
    const context = split(inputs.gradient!, heads!);
    const forP = kept(tf.matMul(context, v, false, true), inputs.mask);
    const forScores = tf.mul(p, tf.sub(forP, tf.sum(tf.mul(forP, p), -1, true)));
    const scaled = tf.div(forScores, Math.sqrt(q.shape[3]!));
    return [
      tf.matMul(scaled, k),
      tf.matMul(scaled, q, true),
      tf.matMul(kept(p, inputs.mask), context, true),
    ].map(merge);
  },
  SoftmaxCrossEntropy: ({ labels, logits }) =>
    tf.neg(tf.sum(tf.mul(labels!, tf.logSoftmax(logits as tf.Tensor2D)), -1)),
  SoftmaxCrossEntropyGradient: ({ gradient, labels, logits }) => {
    const expected = tf.mul(tf.softmax(logits as tf.Tensor2D), tf.sum(labels!, -1, true));
    return tf.mul(tf.expandDims(gradient!, -1), tf.sub(expected, labels!));
  },
  AdamwUpdate: (
    { gradient, firstMoment, secondMoment, parameter, stepSize, secondScale, decay },
    { beta1, beta2, epsilon },
  ) => {
    const m = tf.add(tf.mul(firstMoment!, beta1!), tf.mul(gradient!, 1 - beta1!));
    const v = tf.add(tf.mul(secondMoment!, beta2!), tf.mul(tf.square(gradient!), 1 - beta2!));
    const step = tf.div(tf.mul(stepSize!, m), tf.add(tf.mul(secondScale!, tf.sqrt(v)), epsilon!));
    return [tf.neg(tf.add(step, tf.mul(decay!, parameter!))), m, v];
  },
};

/** Registers all of them; the set collects the names of those that run. */
export function registerReferenceKernels(backendName: string): Set<string> {
  const calls = new Set<string>();
  for (const [kernelName, kernel] of Object.entries(kernels)) {
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: ({ inputs, attrs }) => {
        calls.add(kernelName);
        return tf.tidy(() => kernel(inputs as Inputs, attrs as Record<string, number>));
      },
    });
  }
  return calls;
}

export function unregisterReferenceKernels(): void {
  for (const name of Object.keys(kernels)) {
    if (tf.getKernel(name, tf.getBackend()) as tf.KernelConfig | undefined)
      tf.unregisterKernel(name, tf.getBackend());
  }
}
