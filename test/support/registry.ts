import type { MethodInfo, Plugin } from '@hypetune/core';
import { ChildTuning, childTuningMethod } from '@hypetune/child-tuning';
import { FreeLB, freelbMethod } from '@hypetune/freelb';
import { HiddenMixup, hiddenMixupMethod } from '@hypetune/hidden-mixup';
import { HyPe, hypeMethod } from '@hypetune/hype';
import { L2SP, l2spMethod } from '@hypetune/l2-sp';
import { LayerDecay, layerDecayMethod } from '@hypetune/layer-decay';
import { LayerDrop, layerDropMethod } from '@hypetune/layer-drop';
import { LNSR, lnsrMethod } from '@hypetune/lnsr';
import { Mixout, mixoutMethod } from '@hypetune/mixout';
import { NEFTune, neftuneMethod } from '@hypetune/neftune';
import { NoisyTune, noisytuneMethod } from '@hypetune/noisytune';
import { R3F, r3fMethod, r4fMethod } from '@hypetune/r3f';
import { RDrop, rDropMethod } from '@hypetune/r-drop';
import { RecAdam, recadamMethod } from '@hypetune/recadam';
import { Reinit, reinitMethod } from '@hypetune/reinit';
import { SAM, samMethod } from '@hypetune/sam';
import { SMART, smartMethod } from '@hypetune/smart';
import { TopK, topKMethod } from '@hypetune/top-k';
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

function entry(
  name: string,
  method: MethodInfo,
  create: () => Plugin,
  off: () => Plugin,
  models: readonly ModelName[] = any,
): Entry {
  return { name, method, create, off, models };
}

/** One line a plugin: name, method, an ordinary one, one of strength zero, the models it acts on (default: all). */
export const registry: readonly Entry[] = [
  entry(
    'hype',
    hypeMethod,
    () => new HyPe({ scale: 0.1 }),
    () => new HyPe({ scale: 0 }),
  ),
  entry(
    'r3f',
    r3fMethod,
    () => new R3F({ scale: 0.1 }),
    () => new R3F({ weight: 0 }),
  ),
  entry(
    'r3f/r4f',
    r4fMethod,
    () => new R3F({ scale: 0.1, spectralNorm: true }),
    () => new R3F({ weight: 0 }),
  ),
  entry(
    'mixout',
    mixoutMethod,
    () => new Mixout({ p: 0.5 }),
    () => new Mixout({ p: 0 }),
  ),
  entry(
    'r-drop',
    rDropMethod,
    () => new RDrop(),
    () => new RDrop({ weight: 0 }),
  ),
  entry(
    'child-tuning/f',
    childTuningMethod,
    () => new ChildTuning({ mode: 'F' }),
    () => new ChildTuning({ mode: 'F', reserve: 1 }),
  ),
  entry(
    'child-tuning/d',
    childTuningMethod,
    () => new ChildTuning({ mode: 'D' }),
    () => new ChildTuning({ mode: 'D', reserve: 1 }),
  ),
  entry(
    'noisytune',
    noisytuneMethod,
    () => new NoisyTune(),
    () => new NoisyTune({ intensity: 0 }),
  ),
  entry(
    'recadam',
    recadamMethod,
    () => new RecAdam({ midpoint: 3, pull: 50 }),
    () => new RecAdam({ weight: 0 }),
  ),
  entry(
    'l2-sp/coupled',
    l2spMethod,
    () => new L2SP(),
    () => new L2SP({ weight: 0, headWeight: 0 }),
  ),
  entry(
    'l2-sp/decoupled',
    l2spMethod,
    () => new L2SP({ mode: 'decoupled' }),
    () => new L2SP({ mode: 'decoupled', weight: 0, headWeight: 0 }),
  ),
  entry(
    'lnsr',
    lnsrMethod,
    () => new LNSR({ scale: 0.1 }),
    () => new LNSR({ weight: 0 }),
  ),
  entry(
    'top-k',
    topKMethod,
    () => new TopK({ layers: 1 }),
    () => new TopK({ layers: 3 }),
  ),
  entry(
    'smart',
    smartMethod,
    () => new SMART({ rate: 0.1, radius: 0.1 }),
    () => new SMART({ weight: 0 }),
  ),
  entry(
    'freelb',
    freelbMethod,
    () => new FreeLB({ steps: 2 }),
    () => new FreeLB({ steps: 1 }),
  ),
  entry(
    'neftune',
    neftuneMethod,
    () => new NEFTune(),
    () => new NEFTune({ alpha: 0 }),
  ),
  entry(
    'sam',
    samMethod,
    () => new SAM(),
    () => new SAM({ radius: 0 }),
  ),
  entry(
    'layer-decay',
    layerDecayMethod,
    () => new LayerDecay({ decay: 0.5 }),
    () => new LayerDecay({ decay: 1 }),
  ),
  entry(
    'reinit',
    reinitMethod,
    () => new Reinit({ deviation: 0.3 }),
    () => new Reinit({ layers: 0, pooler: false }),
  ),
  entry(
    'layer-drop',
    layerDropMethod,
    () => new LayerDrop({ rate: 0.5 }),
    () => new LayerDrop({ rate: 0 }),
  ),
  entry(
    'hidden-mixup',
    hiddenMixupMethod,
    () => new HiddenMixup(),
    () => new HiddenMixup({ alpha: 0 }),
  ),
];
