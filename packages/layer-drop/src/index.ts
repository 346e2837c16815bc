import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { LayerDrop } from './layer-drop.js';

export * from './formula.js';
export * from './layer-drop.js';

/** LayerDrop for listings and config files. */
export const layerDropMethod: MethodInfo = { ...card, create: (options) => new LayerDrop(options) };
