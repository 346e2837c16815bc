import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { L2SP } from './l2-sp.js';

export * from './formula.js';
export * from './l2-sp.js';

/** L2-SP for listings and config files. */
export const l2spMethod: MethodInfo = { ...card, create: (options) => new L2SP(options) };
