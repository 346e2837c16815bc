import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { FreeLB } from './freelb.js';

export * from './formula.js';
export * from './freelb.js';

/** FreeLB for listings and config files. */
export const freelbMethod: MethodInfo = { ...card, create: (options) => new FreeLB(options) };
