import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { LayerDecay } from './layer-decay.js';

export * from './formula.js';
export * from './layer-decay.js';

/** Layer-wise learning rates for listings and config files. */
export const layerDecayMethod: MethodInfo = { ...card, create: (options) => new LayerDecay(options) };
