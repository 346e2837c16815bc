import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, replaceOptimizer, z, type ParameterInfo } from '@hypetune/core';
import {
  clippedToSize,
  factoredDirection,
  relativeStep,
  rootMeanSquare,
  running,
  secondDecay,
} from './formula.js';

/**
 * Adafactor (Shazeer and Stern, 2018): `w <- w - rate clip(g / sqrt(v))`, v's running mean kept as its row and column means for
 * tensors of two or more dimensions.
 */
export const adafactor = defineMethod({
  name: 'adafactor',
  summary: 'Takes the place of AdamW: second moments kept by rows and columns, updates clipped to size.',
  source: 'Shazeer and Stern, 2018',
  cost: 'no extra pass; a state of rows + columns numbers for a matrix instead of two copies',
  options: {
    relativeStep: z.boolean().default(false).meta({
      description: "min(0.01, 1 / sqrt(t)) as learning rate instead of the trainer's; its schedule is unused",
      paper: 'true',
    }),
    scaleParameter: z.boolean().default(false).meta({
      description: 'multiplies the rate by the root mean square of the weight, at least epsilonScale',
      paper: 'true',
    }),
    warmup: z.boolean().default(false).describe('with relativeStep: 1e-6 t in the place of 0.01'),
    clipThreshold: z.number().gt(0).default(1).meta({
      description: 'd: root mean square that an update may have before the rate',
      paper: '1',
    }),
    decayPower: z.number().gt(0).lt(1).default(0.8).meta({
      description: 'beta2 of the t-th update is 1 - t^-decayPower',
      paper: '0.8',
    }),
    beta1: z.number().gt(0).lt(1).optional().meta({
      description: 'momentum of the updates; none unless given',
      paper: 'none',
    }),
    epsilon: z.number().gt(0).default(1e-30).describe('added to squared gradients'),
    epsilonScale: z
      .number()
      .gt(0)
      .default(1e-3)
      .describe('with scaleParameter: the least size that a weight counts with'),
  },
  pairs: {
    note: { cautious: 'Masks entries of the update that go against the gradient.' },
  },
  check: ({ warmup, relativeStep: relative }) =>
    warmup && !relative ? 'warmup is of the relative step; set relativeStep too.' : undefined,
  apply(host, options) {
    const { tensors } = host;
    const { beta1, epsilon, clipThreshold } = options;
    /** A mean that begins; one that a resumed run brings goes on. */
    const begin = (name: string, shape: readonly number[]): void => {
      if (!tensors.get(name)) tensors.set(name, tf.zeros([...shape]));
    };
    host.hooks.onFitStart.tap(host.name, ({ parameters }) => {
      for (const { name, shape } of parameters) {
        if (beta1 !== undefined) begin(`first/${name}`, shape);
        if (shape.length < 2) begin(`second/${name}`, shape);
        else {
          begin(`rows/${name}`, shape.slice(0, -1));
          begin(`columns/${name}`, [...shape.slice(0, -2), shape.at(-1)!]);
        }
      }
    });

    /** A running mean after one more value. */
    const advance = (name: string, value: tf.Tensor, decay: number): tf.Tensor => {
      const mean = running(tensors.get(name)!, value, decay);
      tensors.set(name, mean);
      return mean;
    };
    const direction = ({ name, shape }: ParameterInfo, gradient: tf.Tensor, decay: number): tf.Tensor => {
      const squares = tf.add(tf.square(gradient), epsilon);
      if (shape.length < 2) return tf.mul(gradient, tf.rsqrt(advance(`second/${name}`, squares, decay)));
      const rows = advance(`rows/${name}`, tf.mean(squares, -1), decay);
      const columns = advance(`columns/${name}`, tf.mean(squares, -2), decay);
      return factoredDirection(gradient, rows, columns);
    };
    replaceOptimizer(host, (parameter, gradient, step) => {
      const age = step.age(parameter);
      const clipped = clippedToSize(
        direction(parameter, gradient, secondDecay(age, options.decayPower)),
        clipThreshold,
      );
      const rate = options.relativeStep ? relativeStep(age, options.warmup) : step.learningRate(parameter);
      const scaled = tf.mul(clipped, rate);
      const update = options.scaleParameter
        ? tf.mul(scaled, tf.maximum(rootMeanSquare(host.value(parameter)), options.epsilonScale))
        : scaled;
      return tf.neg(beta1 === undefined ? update : advance(`first/${parameter.name}`, update, beta1));
    });
  },
});
