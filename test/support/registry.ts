import type { Method, MethodInfo, Plugin } from '@hypetune/core';
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
import { modelNames, type ModelName } from './models.js';

/** A plugin under the contract. */
export interface Entry {
  /** Unique here; the plugin's own name, or `name/variant`. */
  readonly name: string;
  readonly method: MethodInfo;
  /** The plugin, strong enough for a few steps to show it. */
  readonly create: () => Plugin;
  /** The same at strength zero. */
  readonly off: () => Plugin;
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
  off: G,
  models: readonly ModelName[] = any,
): Entry {
  return { name, method, create: () => method(options), off: () => method(off), models };
}

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
  entry('smart', smart, { rate: 0.1, radius: 0.1 }, { weight: 0 }),
  entry('freelb', freelb, { steps: 2 }, { steps: 1 }),
  entry('neftune', neftune, {}, { alpha: 0 }),
  entry('sam', sam, {}, { radius: 0 }),
  entry('layer-decay', layerDecay, { decay: 0.5 }, { decay: 1 }),
  entry('reinit', reinit, { deviation: 0.3 }, { layers: 0, pooler: false }),
  entry('layer-drop', layerDrop, { rate: 0.5 }, { rate: 0 }),
  entry('hidden-mixup', hiddenMixup, {}, { alpha: 0 }),
];
