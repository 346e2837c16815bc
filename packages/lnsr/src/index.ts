import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { LNSR } from './lnsr.js';

export * from './formula.js';
export * from './lnsr.js';

/** LNSR for listings and config files. */
export const lnsrMethod: MethodInfo = { ...card, create: (options) => new LNSR(options) };
