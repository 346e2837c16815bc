import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { NoisyTune } from './noisytune.js';

export * from './formula.js';
export * from './noisytune.js';

/** NoisyTune for listings and config files. */
export const noisytuneMethod: MethodInfo = { ...card, create: (options) => new NoisyTune(options) };
