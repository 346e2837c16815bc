import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, HIDDEN_STAGE, HypetuneError, LOSS_STAGE, z } from '@hypetune/core';
import { foldIn, randomUniform } from '@hypetune/ops';
import { disagreement, keptFeatures, keptSpan, keptTokens, kinds } from './formula.js';

/** Cutoff (Shen et al., 2020): `L(x) + taskWeight L(x') + weight JS(f(x), f(x'))`, x' is x with tokens, a span or features erased. */
export const cutoff = defineMethod({
  name: 'cutoff',
  summary: 'Erases tokens, a span or features in a second pass and makes both passes agree.',
  source: 'Shen et al., 2020',
  cost: 'one more forward pass, backward through both: about twice a plain step',
  options: {
    kind: z.enum(kinds).default('span').meta({
      description: 'what is erased: single tokens, one run of tokens, or features of every token',
      paper: 'all three; script span',
    }),
    ratio: z.number().min(0).lt(1).default(0.1).meta({
      description: "share of the row's tokens, or of the features, that is erased, rounded down",
      paper: 'script 0.1',
    }),
    taskWeight: z.number().min(0).default(1).meta({
      description: 'weight of the task loss of the erased rows; 0 with the other weight 0 is off',
      paper: 'alpha; script 1',
    }),
    weight: z.number().min(0).default(1).meta({
      description: 'weight of the divergence between the passes',
      paper: 'beta; script 1',
    }),
    divergence: z.enum(['js', 'reference']).default('js').meta({
      description: 'Jensen-Shannon, or the reversed one that the released code computes',
      paper: 'js',
    }),
    ends: z.enum(['spared', 'cut']).default('spared').meta({
      description: "whether a row's first and last token, [CLS] and [SEP], may be erased",
      paper: 'the code cuts them too',
    }),
  },
  pairs: {
    note: {
      'r-drop': 'Three passes; the divergence of each compares with the main one.',
      hype: 'Independent noise in both passes.',
      'hidden-mixup': 'Both passes mix the same rows by the same share.',
    },
  },
  apply(host, { kind, ratio, taskWeight, weight, divergence, ends }) {
    if (taskWeight === 0 && weight === 0) return;
    const { name, hooks } = host;
    const spared = ends === 'spared' ? 1 : 0;
    const maskAt = host.inputNames.findIndex((input) => /^attention_?mask$/i.test(input));
    let kept: tf.Tensor | undefined;
    hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) => {
      if (pass.name !== name || layer.index > 0 || layer.visit > 0) return hidden;
      const [rows, ...rest] = hidden.shape as [number, ...number[]];
      const width = rest.at(-1)!;
      if (kind === 'feature') {
        const draws = randomUniform([rows, Math.floor(ratio * width)], foldIn(pass.key, name));
        return tf.mul(
          hidden,
          tf.reshape(keptFeatures(draws, width), [rows, ...rest.slice(1).map(() => 1), width]),
        );
      }
      if (rest.length !== 2 || rest[0] !== kept!.shape[1])
        throw new HypetuneError(
          `${name}: kind '${kind}' erases tokens, but the first hidden layer gets [${hidden.shape.join(', ')}] for inputs ` +
            `of ${kept!.shape[1]} tokens; use kind 'feature'.`,
        );
      return tf.mul(hidden, tf.reshape(kept!, [rows, kept!.shape[1]!, 1]));
    });
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const inputs = [...step.batch.inputs];
      if (kind !== 'feature') {
        const [rows, positions = 1] = inputs[0]!.shape as [number, number?];
        const mask = maskAt < 0 ? tf.ones([rows, positions]) : tf.cast(inputs[maskAt]!, 'float32');
        const range = { lengths: tf.sum(mask, 1, true), positions, ratio, spared };
        const draws = (count: number): tf.Tensor => randomUniform([rows, count], foldIn(step.key, name));
        kept =
          kind === 'span'
            ? keptSpan(draws(1), range)
            : keptTokens(draws(Math.floor(ratio * positions + 5e-4)), range);
        if (maskAt >= 0) inputs[maskAt] = tf.cast(tf.mul(mask, kept), inputs[maskAt]!.dtype);
      }
      const { logits } = step.forward(name, { inputs });
      kept = undefined;
      return {
        ...terms,
        ...(taskWeight > 0 && {
          [`${name}/task`]: tf.mul(step.mean(step.rowLoss(logits)), taskWeight),
        }),
        ...(weight > 0 && {
          [`${name}/agreement`]: tf.mul(
            step.mean(disagreement(step.task, step.main.logits, logits, divergence)),
            weight,
          ),
        }),
      };
    });
  },
});
