import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { ChildTuning } from './child-tuning.js';

export * from './formula.js';
export * from './child-tuning.js';

/** Child-Tuning for listings and config files. */
export const childTuningMethod: MethodInfo = { ...card, create: (options) => new ChildTuning(options) };
