import * as tf from '@tensorflow/tfjs-core';
import type { Method, MethodInfo, Plugin } from '@hypetune/core';
import { biDrop } from '@hypetune/bi-drop';
import { dropKey } from '@hypetune/drop-key';
import { cutoff } from '@hypetune/cutoff';
import { distillation } from '@hypetune/distillation';
import { spd } from '@hypetune/spd';
import { flooding } from '@hypetune/flooding';
import { dora, lora } from '@hypetune/lora';
import { ema } from '@hypetune/ema';
import { swa } from '@hypetune/swa';
import { wiseFt } from '@hypetune/wise-ft';
import { lpFt } from '@hypetune/lp-ft';
import { gradualUnfreezing } from '@hypetune/gradual-unfreezing';
import { lion } from '@hypetune/lion';
import { adafactor } from '@hypetune/adafactor';
import { cautious } from '@hypetune/cautious';
import { childTuning } from '@hypetune/child-tuning';
import { freelb } from '@hypetune/freelb';
import { hiddenMixup } from '@hypetune/hidden-mixup';
import { hype } from '@hypetune/hype';
import { l2sp } from '@hypetune/l2-sp';
import { layerDecay } from '@hypetune/layer-decay';
import { layerDrop } from '@hypetune/layer-drop';
import { lnsr } from '@hypetune/lnsr';
import { mixout } from '@hypetune/mixout';
import { neftune } from '@hypetune/neftune';
import { noisytune } from '@hypetune/noisytune';
import { r3f, r4f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';
import { recadam } from '@hypetune/recadam';
import { reinit } from '@hypetune/reinit';
import { sam } from '@hypetune/sam';
import { smart } from '@hypetune/smart';
import { topK } from '@hypetune/top-k';
import { buildModel, modelNames, type ModelName } from './models.js';

/** A plugin under the contract. */
export interface Entry {
  /** Unique here; the plugin's own name, or `name/variant`. */
  readonly name: string;
  readonly method: MethodInfo;
  /** The plugin, strong enough for a few steps to show it. */
  readonly create: () => Plugin;
  /** The same at strength zero; absent for one that has none, as another optimizer. */
  readonly off?: (() => Plugin) | undefined;
  /** Another of it where rounding decides what this one does (a threshold), to compare engines by. */
  readonly steady?: () => Plugin;
  /** Models on which it acts. */
  readonly models: readonly ModelName[];
  /** Folder of its package. Default: the one in `packages` that has its name. */
  readonly folder?: string;
}

const any = modelNames;

function entry<G extends object>(
  name: string,
  method: Method<G, unknown>,
  options: G,
  off: G | undefined,
  models: readonly ModelName[] = any,
): Entry {
  return { name, method, create: () => method(options), off: off && (() => method(off)), models };
}

/** A frozen model for what learns from one, there before any test counts tensors. */
await tf.setBackend('cpu');
const teacher = buildModel('bert');

/** One line a plugin: name, method, options of an ordinary one and of one of strength zero, the models it acts on (default: all). */
export const registry: readonly Entry[] = [
  entry('hype', hype, { scale: 0.1 }, { scale: 0 }),
  entry('r3f', r3f, { scale: 0.1 }, { weight: 0 }),
  entry('r3f/r4f', r4f, { scale: 0.1 }, { weight: 0, spectralNorm: false }),
  entry('mixout', mixout, { p: 0.5 }, { p: 0 }),
  entry('r-drop', rDrop, {}, { weight: 0 }),
  entry('child-tuning/f', childTuning, { mode: 'F' }, { mode: 'F', reserve: 1 }),
  entry('child-tuning/d', childTuning, { mode: 'D' }, { mode: 'D', reserve: 1 }),
  entry('noisytune', noisytune, {}, { intensity: 0 }),
  entry('recadam', recadam, { midpoint: 3, pull: 50 }, { weight: 0 }),
  entry('l2-sp/coupled', l2sp, {}, { weight: 0, headWeight: 0 }),
  entry('l2-sp/decoupled', l2sp, { mode: 'decoupled' }, { mode: 'decoupled', weight: 0, headWeight: 0 }),
  entry('lnsr', lnsr, { scale: 0.1 }, { weight: 0 }),
  entry('top-k', topK, { layers: 1 }, { layers: 3 }),
  // From the start as published, 1e-5, rounding decides which way it climbs.
  entry('smart', smart, { start: 0.5, rate: 0.3, radius: 1 }, { weight: 0 }),
  entry('freelb', freelb, { steps: 2 }, { steps: 1 }),
  entry('neftune', neftune, {}, { alpha: 0 }),
  entry('sam', sam, {}, { radius: 0 }),
  entry('layer-decay', layerDecay, { decay: 0.5 }, { decay: 1 }),
  entry('reinit', reinit, { deviation: 0.3 }, { layers: 0, pooler: false }),
  entry('layer-drop', layerDrop, { rate: 0.5 }, { rate: 0 }),
  entry('hidden-mixup', hiddenMixup, {}, { alpha: 0 }),
  entry('sam/asam', sam, { variant: 'asam' }, { variant: 'asam', radius: 0 }),
  entry('sam/gsam', sam, { variant: 'gsam' }, { variant: 'gsam', radius: 0 }),
  entry('sam/friendly', sam, { variant: 'friendly' }, { variant: 'friendly', radius: 0 }),
  entry('hype/relative', hype, { scale: 0.1, relative: true }, { scale: 0, relative: true }),
  entry('hype/attention', hype, { scale: 0.1, site: 'attention' }, { scale: 0, site: 'attention' }, ['bert']),
  {
    ...entry('bi-drop', biDrop, {}, { draws: 1, reserve: 1 }),
    steady: () => biDrop({ reserve: 1 }),
  },
  entry('drop-key', dropKey, { rate: 0.3 }, { rate: 0 }, ['bert']),
  entry('cutoff', cutoff, { kind: 'feature', ratio: 0.5 }, { weight: 0, taskWeight: 0 }),
  entry('cutoff/span', cutoff, { ratio: 0.4 }, { weight: 0, taskWeight: 0 }, ['bert']),
  entry('distillation', distillation, { teacher }, { teacher, weight: 0 }, ['bert']),
  entry('spd', spd, {}, { weight: 0 }),
  entry('flooding', flooding, { level: 1 }, { level: 0 }),
  entry('lora', lora, { rank: 2 }, { rank: 0 }),
  entry('lora/dora', dora, { rank: 2 }, { rank: 0 }),
  entry('ema', ema, { decay: 0.9 }, { decay: 0 }),
  entry('swa', swa, { start: 0.5, every: 1 }, { start: 1 }),
  entry('wise-ft', wiseFt, {}, { alpha: 1 }),
  entry('lp-ft', lpFt, { share: 0.5 }, { share: 0 }),
  entry('gradual-unfreezing', gradualUnfreezing, { share: 0.75 }, { share: 0 }),
  entry('lion', lion, {}, undefined),
  entry('adafactor', adafactor, {}, undefined),
  entry('cautious', cautious, {}, undefined),
];
