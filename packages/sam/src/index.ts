import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { SAM } from './sam.js';

export * from './formula.js';
export * from './sam.js';

/** SAM for listings and config files. */
export const samMethod: MethodInfo = { ...card, create: (options) => new SAM(options) };
