import { checkChoice, checkKeys, checkNumber, UPDATE_STAGE } from '@hypetune/core';
import type { Plugin, PluginHost, PluginPair, Updates } from '@hypetune/core';
import { card, pairs } from './card.js';
import { recAdamUpdate, taskShare, type Annealing } from './formula.js';
import { checkStability } from './stability.js';

export interface RecAdamOptions {
  /** w: share of the objective that is annealed; 0 is off. Default 1. */
  readonly weight?: number;
  /** gamma: strength of the pull to the pre-trained weights. Default 5000. */
  readonly pull?: number;
  /** Default `sigmoid`. */
  readonly annealing?: Annealing;
  /** k: steepness of the sigmoid, a step. Default 0.5. */
  readonly rate?: number;
  /** t0: step where the sigmoid is half, or where the line ends. Default 250. */
  readonly midpoint?: number;
}

/** RecAdam (Chen et al., 2020): `w <- w + lambda(t) u - rate gamma (w' - lambda(t)) (w - w0)`, u Adam's update. */
export class RecAdam implements Plugin {
  readonly name = 'recadam';
  readonly pairs: readonly PluginPair[] = pairs;
  readonly options: Required<RecAdamOptions>;

  constructor(options: RecAdamOptions = {}) {
    checkKeys(this.name, options, Object.keys(card.options));
    const { weight = 1, pull = 5000, annealing = 'sigmoid', rate = 0.5, midpoint = 250 } = options;
    this.options = { weight, pull, annealing, rate, midpoint };
    checkNumber(this.name, 'weight', weight, { min: 0 });
    checkNumber(this.name, 'pull', pull, { min: 0 });
    checkChoice(
      this.name,
      'annealing',
      annealing,
      card.options['annealing']!.choices! as readonly Annealing[],
    );
    checkNumber(this.name, 'rate', rate, { min: 0 });
    checkNumber(this.name, 'midpoint', midpoint, { min: 0 });
  }

  apply(host: PluginHost): void {
    const { weight, pull } = this.options;
    if (weight === 0) return;
    if (this.options.annealing !== 'constant') checkStability(this.name, pull * weight, host);
    host.keepReference(this.name);
    host.hooks.beforeUpdate.tap({ name: this.name, stage: UPDATE_STAGE.PULL }, (updates, step) => {
      const share = taskShare(step.index, this.options);
      const changed: Record<string, Updates[string]> = { ...updates };
      for (const parameter of host.parameters) {
        const [update, reference] = [updates[parameter.name], host.reference(parameter)];
        if (!update || !reference) continue;
        const strength = step.learningRate(parameter) * pull * (weight - share);
        changed[parameter.name] = recAdamUpdate(update, host.value(parameter), reference, share, strength);
      }
      return changed;
    });
  }
}
