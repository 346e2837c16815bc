import { adamwUpdate, softmaxCrossEntropy } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';

/** A classifier with two classes. */
export interface Classifier {
  readonly weights: readonly tf.Variable[];
  /** ids [B, T] int32 -> logits [B, 2]. */
  logits(ids: tf.Tensor2D): tf.Tensor2D;
}

/** A classifier with the state of AdamW. */
export class Training {
  readonly #classifier: Classifier;
  readonly #moments: ReadonlyMap<tf.Variable, readonly [tf.Variable, tf.Variable]>;
  #steps = 0;

  constructor(classifier: Classifier) {
    this.#classifier = classifier;
    this.#moments = new Map(classifier.weights.map((weight) => [weight, [zeros(weight), zeros(weight)]]));
  }

  /** Forward, backward and AdamW; gives the loss. */
  step(ids: tf.Tensor2D, labels: tf.Tensor2D): tf.Scalar {
    return tf.tidy(() => {
      this.#steps++;
      const loss = (): tf.Scalar => tf.mean(softmaxCrossEntropy(labels, this.#classifier.logits(ids)));
      const { value, grads } = tf.variableGrads(loss, [...this.#moments.keys()]);
      const [rate, decay, beta1, beta2] = [1e-4, 0.01, 0.9, 0.999];
      const stepSize = tf.scalar(rate / (1 - beta1 ** this.#steps));
      const secondScale = tf.scalar(1 / Math.sqrt(1 - beta2 ** this.#steps));
      const decayed = tf.scalar(rate * decay);
      for (const [weight, [first, second]] of this.#moments) {
        const options = { beta1, beta2, epsilon: 1e-8, stepSize, secondScale, decay: decayed };
        const { update, firstMoment, secondMoment } = adamwUpdate(
          grads[weight.name]!,
          first,
          second,
          weight,
          options,
        );
        weight.assign(tf.add(weight, update));
        first.assign(firstMoment);
        second.assign(secondMoment);
      }
      return value;
    });
  }
}

function zeros(like: tf.Tensor): tf.Variable {
  return tf.tidy(() => tf.variable(tf.zerosLike(like)));
}
