import * as tf from '@tensorflow/tfjs-core';

/** A small classifier with AdamW written out in plain operations. */
export class Classifier {
  readonly weights: tf.Variable[];
  readonly #first: tf.Variable[];
  readonly #second: tf.Variable[];
  #steps = 0;

  constructor(seed: number) {
    const shapes = [[20, 40], [40], [40, 3], [3]];
    const own = (make: () => tf.Tensor): tf.Variable => tf.tidy(() => tf.variable(make()));
    this.weights = shapes.map((shape, i) => own(() => tf.randomNormal(shape, 0, 0.3, 'float32', seed + i)));
    this.#first = shapes.map((shape) => own(() => tf.zeros(shape)));
    this.#second = shapes.map((shape) => own(() => tf.zeros(shape)));
  }

  #loss(x: tf.Tensor2D, y: tf.Tensor2D): tf.Scalar {
    const [w1, b1, w2, b2] = this.weights as unknown as [tf.Tensor2D, tf.Tensor1D, tf.Tensor2D, tf.Tensor1D];
    const hidden = tf.tanh(tf.add(tf.matMul(x, w1), b1));
    const logits = tf.add(tf.matMul(hidden, w2), b2);
    return tf.mean(tf.neg(tf.sum(tf.mul(y, tf.logSoftmax(logits)), -1)));
  }

  /** One step of AdamW; gives the loss before it. */
  step(x: tf.Tensor2D, y: tf.Tensor2D): tf.Scalar {
    return tf.tidy(() => {
      const rate = 0.01 / (1 + 0.01 * this.#steps++);
      const { value, grads } = tf.variableGrads(() => this.#loss(x, y), this.weights);
      this.weights.forEach((weight, i) => {
        const gradient = grads[weight.name]!;
        const [first, second] = [this.#first[i]!, this.#second[i]!];
        first.assign(tf.add(tf.mul(first, 0.9), tf.mul(gradient, 0.1)));
        second.assign(tf.add(tf.mul(second, 0.99), tf.mul(tf.square(gradient), 0.01)));
        weight.assign(tf.sub(weight, tf.mul(tf.div(first, tf.add(tf.sqrt(second), 1e-8)), rate)));
      });
      return value;
    });
  }
}

/** A batch of `size` rows of three classes. */
export function batch(size: number): { x: tf.Tensor2D; y: tf.Tensor2D } {
  return tf.tidy(() => ({
    x: tf.randomNormal<tf.Rank.R2>([size, 20], 0, 1, 'float32', 7),
    y: tf.cast(
      tf.oneHot(
        tf.tensor1d(
          Array.from({ length: size }, (_, i) => i % 3),
          'int32',
        ),
        3,
      ),
      'float32',
    ) as tf.Tensor2D,
  }));
}
