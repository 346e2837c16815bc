import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { NEFTune } from './neftune.js';

export * from './formula.js';
export * from './neftune.js';

/** NEFTune for listings and config files. */
export const neftuneMethod: MethodInfo = { ...card, create: (options) => new NEFTune(options) };
