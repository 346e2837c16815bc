import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { Mixout } from './mixout.js';

export * from './formula.js';
export * from './mixout.js';

/** Mixout for listings and config files. */
export const mixoutMethod: MethodInfo = { ...card, create: (options) => new Mixout(options) };
