import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { HiddenMixup } from './hidden-mixup.js';

export * from './draw.js';
export * from './formula.js';
export * from './hidden-mixup.js';

/** Hidden mixup for listings and config files. */
export const hiddenMixupMethod: MethodInfo = { ...card, create: (options) => new HiddenMixup(options) };
