import * as tf from '@tensorflow/tfjs-core';

/** `x @ kernel + bias` over the last axis: x [..., in], kernel [in, out], bias [out] -> [..., out]. */
export function linear(x: tf.Tensor, kernel: tf.Tensor2D, bias?: tf.Tensor1D): tf.Tensor {
  return tf.tidy(() => {
    const [inputs, outputs] = kernel.shape;
    if (x.shape.at(-1) !== inputs) {
      throw new Error(
        `linear: x's last axis must be ${inputs}, as the kernel's [${kernel.shape.join()}], got x [${x.shape.join()}].`,
      );
    }
    // One matrix product over all rows: its gradient for the kernel is then one large product too.
    const rows = tf.reshape(x, [-1, inputs]);
    const product = tf.matMul(rows, kernel);
    return tf.reshape(bias ? tf.add(product, bias) : product, [...x.shape.slice(0, -1), outputs]);
  });
}
