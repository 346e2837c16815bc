import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { HyPe } from './hype.js';

export * from './formula.js';
export * from './hype.js';

/** HyPe for listings and config files. */
export const hypeMethod: MethodInfo = { ...card, create: (options) => new HyPe(options) };
