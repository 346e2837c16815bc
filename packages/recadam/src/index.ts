import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { RecAdam } from './recadam.js';

export * from './formula.js';
export * from './recadam.js';

/** RecAdam for listings and config files. */
export const recadamMethod: MethodInfo = { ...card, create: (options) => new RecAdam(options) };
