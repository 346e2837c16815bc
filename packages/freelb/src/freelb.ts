import {
  BACKWARD_STAGE,
  defineMethod,
  HIDDEN_STAGE,
  HypetuneError,
  tokenMask,
  z,
  type GradientResult,
} from '@hypetune/core';
import { foldIn } from '@hypetune/ops';
import * as tf from '@tensorflow/tfjs-core';
import { ascend, average, start } from './formula.js';
import { vectorShape } from './vectors.js';

/** FreeLB (Zhu et al., 2020): the mean gradient of K passes, the token vectors pushed up the loss between them. */
export const freelb = defineMethod({
  name: 'freelb',
  summary: 'Averages the gradient over K steps of an attack on the token vectors.',
  source: 'Zhu et al., 2020',
  cost: 'K forward and backward passes: K times a plain step',
  options: {
    steps: z.int().min(1).default(3).meta({
      description: 'K, forward and backward passes a step; 1 without magnitude is off',
      paper: '3 (RTE, CoLA, STS-B), 4 (MRPC)',
    }),
    rate: z.number().min(0).default(0.1).meta({
      description: 'length of each of the K - 1 steps up',
      paper: '0.1 RTE and STS-B, 0.04 CoLA, 0.03 MRPC (ALBERT)',
    }),
    magnitude: z.number().min(0).default(0).meta({
      description: 'size of the random start, times sqrt(length * width)',
      paper: '0 RTE and MRPC, 0.05 CoLA, 0.2 STS-B',
    }),
    length: z.enum(['real', 'padded']).default('real').meta({
      description:
        "length in the start: of each row's tokens, padding left alone; or of the padded batch, padding included",
      paper: 'the code: real',
    }),
    maxNorm: z.number().min(0).default(0).meta({
      description: 'longest perturbation of a row; 0 is any',
      paper: '0; RoBERTa on CoLA 0.4',
    }),
  },
  pairs: {
    warn: { smart: 'Both search for the worst token vectors: many passes for one goal.' },
    note: {
      sam: "SAM stands outside: each of its two gradients is FreeLB's average.",
      r3f: "The perturbation is learned from R3F's pass too, whose token table is detached all the same.",
      neftune: 'Random and adversarial noise on the same vectors add up.',
    },
  },
  apply(host, { steps, rate, magnitude, length, maxNorm }) {
    const { name, hooks } = host;
    if (steps === 1 && magnitude === 0) return;
    let delta: tf.Tensor | undefined;
    let met = false;
    hooks.afterEmbedding.tap({ name, stage: HIDDEN_STAGE.NOISE }, (vectors, pass) => {
      if (!pass.training || !delta || String(vectors.shape) !== String(delta.shape)) return vectors;
      met = true;
      return tf.add(vectors, delta);
    });
    hooks.aroundBackward.tap({ name, stage: BACKWARD_STAGE.MULTISTEP }, (gradient, step) => (options) => {
      try {
        const mask = length === 'real' ? tokenMask(host, step.batch) : undefined;
        delta = start(vectorShape(host, step.batch), magnitude, foldIn(step.key, name), mask);
        const results: GradientResult[] = [];
        for (let k = 1; k <= steps; k++) {
          results.push(gradient({ ...options, inputs: { ...options?.inputs, [name]: delta } }));
          if (!met)
            throw new HypetuneError(
              `${name}: nothing of shape [${String(delta.shape)}] left a token table; the first input must be token ids or floats.`,
            );
          if (k < steps) delta = ascend(delta, results.at(-1)!.inputGradients[name]!, rate, maxNorm);
        }
        return { ...results[0]!, gradients: average(results.map(({ gradients }) => gradients)) };
      } finally {
        delta = undefined;
      }
    });
  },
});
