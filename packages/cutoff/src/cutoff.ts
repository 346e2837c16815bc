import * as tf from '@tensorflow/tfjs-core';
import {
  defineMethod,
  divergenceOf,
  HIDDEN_STAGE,
  HypetuneError,
  LOSS_STAGE,
  maskPlace,
  tokenMask,
  z,
} from '@hypetune/core';
import { foldIn, type Key, randomUniform } from '@hypetune/ops';
import {
  cutCount,
  disagreement,
  keptFeatures,
  keptSpan,
  keptTokens,
  kinds,
  tokenSpan,
  type TokenRange,
} from './formula.js';

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
      paper: 'script 1',
    }),
    weight: z.number().min(0).default(1).meta({
      description: 'weight of the divergence between the passes',
      paper: 'script 1',
    }),
    divergence: z.enum(['js', 'reference']).default('js').meta({
      description: 'Jensen-Shannon, or its mirror image that the released code computes',
      paper: 'js',
    }),
    ends: z.enum(['spared', 'cut']).default('spared').meta({
      description: "whether a row's first and last token, [CLS] and [SEP], may be erased",
      paper: 'the code cuts them too',
    }),
  },
  pairs: {
    note: {
      'r-drop': 'Three passes; each further one is compared with the main pass.',
      hype: 'Independent noise in both passes.',
      'hidden-mixup': 'Both passes mix the same rows by the same share.',
    },
  },
  apply(host, { kind, ratio, taskWeight, weight, divergence, ends }) {
    if (taskWeight === 0 && weight === 0) return;
    const { name, hooks } = host;
    const distance = divergenceOf(host.task, name);
    const spared = ends === 'spared' ? 1 : 0;
    /** Which tokens stay in the pass that runs, `[rows, positions]`. */
    let kept: tf.Tensor | undefined;

    hooks.beforeLayerForward.tap({ name, stage: HIDDEN_STAGE.TRANSFORM }, (hidden, layer, pass) => {
      if (pass.name !== name || layer.index > 0 || layer.visit > 0) return hidden;
      if (kept) return withoutTokens(name, hidden, kept);
      const [rows, width] = [hidden.shape[0]!, hidden.shape.at(-1)!];
      const count = cutCount(width, ratio);
      if (count === 0) return hidden;
      const draws = randomUniform([rows, count], foldIn(pass.key, name));
      const between = hidden.shape.slice(1, -1).map(() => 1);
      return tf.mul(hidden, tf.reshape(keptFeatures(draws, width), [rows, ...between, width]));
    });

    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.CONSISTENCY }, (terms, step) => {
      const inputs = [...step.batch.inputs];
      if (kind !== 'feature') {
        const mask =
          tokenMask(host, step.batch) ??
          tf.ones<tf.Rank.R2>(inputs[0]!.shape.slice(0, 2) as [number, number]);
        const range = { ...tokenSpan(mask), positions: mask.shape[1]!, ratio, spared };
        const maskAt = maskPlace(host);
        kept = keptOf(kind, range, foldIn(step.key, name));
        if (maskAt >= 0) inputs[maskAt] = tf.cast(tf.mul(mask, kept), inputs[maskAt]!.dtype);
      }
      try {
        const { logits } = step.forward(name, { inputs });
        const task: tf.Scalar = tf.mul(step.mean(step.rowLoss(logits)), taskWeight);
        const between = (p: tf.Tensor, q: tf.Tensor): tf.Tensor => disagreement(p, q, divergence);
        const rows = distance(step.main.logits, logits, step.batch.labels, between);
        const agreement: tf.Scalar = tf.mul(step.mean(rows), weight);
        return { ...terms, [`${name}/task`]: task, [`${name}/agreement`]: agreement };
      } finally {
        kept = undefined;
      }
    });
  },
});

function keptOf(kind: 'token' | 'span', range: TokenRange, key: Key): tf.Tensor {
  const rows = range.lengths.shape[0]!;
  return kind === 'span'
    ? keptSpan(randomUniform([rows, 1], key), range)
    : keptTokens(randomUniform([rows, Math.max(1, cutCount(range.positions, range.ratio))], key), range);
}

/** Throws where what enters the first hidden layer has no tokens. */
function withoutTokens(plugin: string, hidden: tf.Tensor, kept: tf.Tensor): tf.Tensor {
  const [rows, positions] = kept.shape as [number, number];
  if (hidden.rank === 3 && hidden.shape[1] === positions)
    return tf.mul(hidden, tf.reshape(kept, [rows, positions, 1]));
  throw new HypetuneError(
    `${plugin}: tokens can be erased where the first hidden layer gets [${rows}, ${positions}, width], ` +
      `it gets [${hidden.shape.join(', ')}]; use kind 'feature'.`,
  );
}
