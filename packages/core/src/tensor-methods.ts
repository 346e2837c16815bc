import * as tf from '@tensorflow/tfjs-core';

/**
 * The methods of tensors that tfjs-layers itself calls: its orthogonal initializer, which LSTM and GRU have by default, uses those that
 * come with the whole of `@tensorflow/tfjs`, which need not be there.
 */
const methods = {
  flatten(this: tf.Tensor): tf.Tensor1D {
    return tf.reshape(this, [-1]);
  },
  stridedSlice(this: tf.Tensor, begin: number[], end: number[], strides?: number[]): tf.Tensor {
    return tf.stridedSlice(this, begin, end, strides);
  },
  sign(this: tf.Tensor): tf.Tensor {
    return tf.sign(this);
  },
  reshape(this: tf.Tensor, shape: number[]): tf.Tensor {
    return tf.reshape(this, shape);
  },
  transpose(this: tf.Tensor, permutation?: number[]): tf.Tensor {
    return tf.transpose(this, permutation);
  },
};

for (const [name, value] of Object.entries(methods))
  if (!(name in tf.Tensor.prototype))
    Object.defineProperty(tf.Tensor.prototype, name, { value, configurable: true, writable: true });
