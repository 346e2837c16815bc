import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { Reinit } from './reinit.js';

export * from './formula.js';
export * from './reinit.js';

/** Re-initialisation for listings and config files. */
export const reinitMethod: MethodInfo = { ...card, create: (options) => new Reinit(options) };
