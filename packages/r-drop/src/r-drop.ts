import * as tf from '@tensorflow/tfjs-core';
import { checkChoice, checkKeys, checkNumber, divergenceOf, LOSS_STAGE } from '@hypetune/core';
import type { Plugin, PluginHost, PluginPair } from '@hypetune/core';
import { card, pairs } from './card.js';
import { disagreement } from './formula.js';

export interface RDropOptions {
  /** alpha: weight of the divergence; 0 is off. Default 1. */
  readonly weight?: number;
  /** Divergence averaged over the rows (default), or summed over them as the released BERT code does. */
  readonly reduction?: 'mean' | 'reference';
}

/** R-Drop (Liang et al., 2021): `L = CE_1 + CE_2 + weight / 2 * (KL(P_1||P_2) + KL(P_2||P_1))`, two dropout draws. */
export class RDrop implements Plugin {
  readonly name = 'r-drop';
  readonly pairs: readonly PluginPair[] = pairs;

  constructor(readonly options: RDropOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    checkNumber(this.name, 'weight', options.weight ?? 1, { min: 0 });
    checkChoice(this.name, 'reduction', options.reduction ?? 'mean', card.options['reduction']!.choices!);
  }

  apply(host: PluginHost): void {
    const { weight = 1, reduction = 'mean' } = this.options;
    if (weight === 0) return;
    const divergence = divergenceOf(host.task, this.name);
    if (!host.hasDropout)
      host.warn(
        this.name,
        'the model has no dropout: without another source of noise both passes are equal.',
      );
    host.hooks.afterLoss.tap({ name: this.name, stage: LOSS_STAGE.REPLACE }, (terms, step) => {
      const { logits } = step.forward(this.name);
      const rows = disagreement(divergence, step.main.logits, logits, step.batch.labels, weight);
      const summed = reduction === 'reference' && step.task.kind !== 'values';
      return {
        ...terms,
        task: tf.add(terms['task']!, step.mean(step.rowLoss(logits))),
        [this.name]: summed ? tf.sum(tf.mul(rows, step.batch.weights)) : step.mean(rows),
      };
    });
  }
}
