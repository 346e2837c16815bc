import type { LayersModel } from '@tensorflow/tfjs-layers';
import { adafactor } from '@hypetune/adafactor';
import { biDrop } from '@hypetune/bi-drop';
import { cautious } from '@hypetune/cautious';
import { childTuning } from '@hypetune/child-tuning';
import type { Plugin } from '@hypetune/core';
import { cutoff } from '@hypetune/cutoff';
import { distillation } from '@hypetune/distillation';
import { dropKey } from '@hypetune/drop-key';
import { ema } from '@hypetune/ema';
import { flooding } from '@hypetune/flooding';
import { freelb } from '@hypetune/freelb';
import { gradualUnfreezing } from '@hypetune/gradual-unfreezing';
import { hiddenMixup } from '@hypetune/hidden-mixup';
import { hype } from '@hypetune/hype';
import { l2sp } from '@hypetune/l2-sp';
import { layerDecay } from '@hypetune/layer-decay';
import { layerDrop } from '@hypetune/layer-drop';
import { lion } from '@hypetune/lion';
import { lnsr } from '@hypetune/lnsr';
import { dora, lora } from '@hypetune/lora';
import { lpFt } from '@hypetune/lp-ft';
import { mixout } from '@hypetune/mixout';
import { neftune } from '@hypetune/neftune';
import { noisytune } from '@hypetune/noisytune';
import { r3f, r4f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';
import { recadam } from '@hypetune/recadam';
import { reinit } from '@hypetune/reinit';
import { sam } from '@hypetune/sam';
import { smart } from '@hypetune/smart';
import { spd } from '@hypetune/spd';
import { swa } from '@hypetune/swa';
import { topK } from '@hypetune/top-k';
import { wiseFt } from '@hypetune/wise-ft';

/** A method as it is certified: strong enough that each part of its formula shows far above rounding. */
export interface CertifiedCase {
  /** The method's name, with a variant behind a slash. */
  readonly name: string;
  readonly plugins: (teacher: LayersModel) => readonly (Plugin & { readonly options?: unknown })[];
}

const one = (name: string, create: (teacher: LayersModel) => Plugin): CertifiedCase => ({
  name,
  plugins: (teacher) => [create(teacher)],
});

/** Every method, most in several variants, the stacks of HyPe's paper, and plain training. */
export const CERTIFIED_CASES: readonly CertifiedCase[] = [
  { name: 'plain', plugins: () => [] },
  one('hype', () => hype({ scale: 0.1 })),
  one('hype/uniform', () => hype({ scale: 0.1, noise: 'uniform', topLayers: 1 })),
  one('hype/uniform01', () => hype({ scale: 0.1, noise: 'uniform01', lowLayers: 1 })),
  one('hype/relative', () => hype({ scale: 0.1, relative: true })),
  one('hype/attention', () => hype({ scale: 0.1, site: 'attention' })),
  one('r3f', () => r3f({ scale: 0.1, weight: 0.7 })),
  one('r3f/attached', () => r3f({ scale: 0.1, noise: 'normal', dropout: 'shared', table: 'attached' })),
  one('r3f/r4f', () => r4f({ scale: 0.1 })),
  one('mixout', () => mixout({ p: 0.5 })),
  one('mixout/reference', () => mixout({ p: 0.7, gradient: 'reference' })),
  one('r-drop', () => rDrop({ weight: 2 })),
  one('r-drop/reference', () => rDrop({ weight: 0.5, reduction: 'reference' })),
  one('child-tuning/f', () => childTuning({ mode: 'F' })),
  one('child-tuning/d', () => childTuning({ mode: 'D' })),
  one('noisytune', () => noisytune()),
  one('recadam', () => recadam({ midpoint: 2, pull: 20 })),
  one('l2-sp/coupled', () => l2sp({ weight: 0.5, headWeight: 0.3 })),
  one('l2-sp/decoupled', () => l2sp({ mode: 'decoupled', weight: 0.5, headWeight: 0.3 })),
  one('lnsr', () => lnsr({ scale: 0.1, layer: 1 })),
  one('top-k', () => topK({ layers: 1 })),
  one('smart', () => smart({ start: 0.5, rate: 0.3, radius: 0.7, steps: 2 })),
  one('smart/reference', () => smart({ start: 0.1, rate: 0.1, form: 'reference' })),
  one('freelb', () => freelb({ magnitude: 0.5, maxNorm: 0.4 })),
  one('freelb/padded', () => freelb({ magnitude: 0.5, length: 'padded', steps: 2 })),
  one('neftune', () => neftune()),
  one('neftune/real', () => neftune({ length: 'real' })),
  one('sam', () => sam({ radius: 0.1 })),
  one('sam/asam', () => sam({ variant: 'asam' })),
  one('sam/gsam', () => sam({ variant: 'gsam', radius: 0.1 })),
  one('sam/friendly', () => sam({ variant: 'friendly', radius: 0.1, sigma: 0.7 })),
  one('layer-decay', () => layerDecay({ decay: 0.5 })),
  one('reinit', () => reinit({ deviation: 0.3 })),
  one('layer-drop', () => layerDrop({ rate: 0.5 })),
  one('hidden-mixup', () => hiddenMixup()),
  one('bi-drop', () => biDrop()),
  one('drop-key', () => dropKey({ rate: 0.4 })),
  one('cutoff/span', () => cutoff({ kind: 'span', ratio: 0.4 })),
  one('cutoff/token', () => cutoff({ kind: 'token', ratio: 0.4, divergence: 'reference' })),
  one('cutoff/feature', () => cutoff({ kind: 'feature', ratio: 0.3, taskWeight: 0.5, weight: 2 })),
  one('distillation', (teacher) => distillation({ teacher, weight: 0.3 })),
  one('spd', () => spd()),
  one('flooding', () => flooding({ level: 9 })),
  one('lora', () => lora({ rank: 2, alpha: 3 })),
  one('lora/dora', () => dora({ rank: 2, alpha: 3, bias: 'lora_only' })),
  one('ema', () => ema({ decay: 0.7 })),
  one('swa', () => swa({ start: 0.3, every: 1 })),
  one('wise-ft', () => wiseFt({ alpha: 0.3 })),
  one('lp-ft', () => lpFt({ share: 0.34, headRate: 3 })),
  one('gradual-unfreezing', () => gradualUnfreezing({ every: 1 })),
  one('lion', () => lion()),
  one('adafactor', () => adafactor({ beta1: 0.8, scaleParameter: true })),
  one('cautious', () => cautious()),
  { name: 'hype + r3f', plugins: () => [hype({ scale: 0.1 }), r3f({ scale: 0.1 })] },
  { name: 'hype + r-drop', plugins: () => [hype({ scale: 0.1 }), rDrop()] },
  { name: 'noisytune + hype', plugins: () => [noisytune(), hype({ scale: 0.1 })] },
  { name: 'child-tuning/f + hype', plugins: () => [childTuning({ mode: 'F' }), hype({ scale: 0.1 })] },
];
