import * as tf from '@tensorflow/tfjs-core';
import { hasKernel, runKernel, useKernels } from '../kernels.js';

/** `x @ kernel + bias` over the last axis: x [..., in], kernel [in, out], bias [out] -> [..., out]. */
export function linear(x: tf.Tensor, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  const [inputs, outputs] = kernel.shape;
  if (x.shape.at(-1) !== inputs) {
    throw new Error(
      `linear: x's last axis must be the kernel's first, got x [${x.shape.join()}] and kernel [${kernel.shape.join()}].`,
    );
  }
  if (useKernels('Linear', 'LinearInputGradient', 'LinearKernelGradient')) {
    registerLinearGradient();
    return runKernel('Linear', { x, kernel, bias })[0]!;
  }
  return tf.tidy(() => {
    // One product over all rows: its gradient for the kernel is then one large product too.
    const product = tf.matMul(tf.reshape(x, [-1, inputs]), kernel);
    return tf.reshape(bias ? tf.add(product, bias) : product, [...x.shape.slice(0, -1), outputs]);
  });
}

/** By registration, unlike the other operations: tfjs then computes only the gradients it needs (a frozen kernel needs none). */
function registerLinearGradient(): void {
  if ((tf.getGradient('Linear') as tf.GradConfig | undefined) !== undefined) return;
  tf.registerGradient({
    kernelName: 'Linear',
    inputsToSave: ['x', 'kernel'],
    gradFunc: (outputGradient, saved) => {
      const gradient = outputGradient as tf.Tensor;
      const [x, kernel] = saved as [tf.Tensor, tf.Tensor];
      return {
        x: () => runKernel('LinearInputGradient', { gradient, kernel })[0]!,
        kernel: () => runKernel('LinearKernelGradient', { x, gradient })[0]!,
        bias: () =>
          hasKernel('LinearBiasGradient')
            ? runKernel('LinearBiasGradient', { gradient })[0]!
            : tf.sum(tf.reshape(gradient, [-1, kernel.shape[1]!]), 0),
      };
    },
  });
}
