import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { SMART } from './smart.js';

export * from './formula.js';
export * from './smart.js';

/** SMART for listings and config files. */
export const smartMethod: MethodInfo = { ...card, create: (options) => new SMART(options) };
