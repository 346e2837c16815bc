import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { TopK } from './top-k.js';

export * from './formula.js';
export * from './top-k.js';

/** Top-K tuning for listings and config files. */
export const topKMethod: MethodInfo = { ...card, create: (options) => new TopK(options) };
