import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { R3F } from './r3f.js';

export * from './formula.js';
export * from './spectral-norm.js';
export type * from './options.js';
export * from './r3f.js';

/** R3F for listings and config files. */
export const r3fMethod: MethodInfo = { ...card, create: (options) => new R3F(options) };

/** R4F: R3F with the head's spectral norm held at 1. */
export const r4fMethod: MethodInfo = {
  ...card,
  name: 'r4f',
  summary: "R3F with the head's weight divided by its spectral norm (Aghajanyan et al., 2021).",
  create: (options) => new R3F({ spectralNorm: true, ...options }),
};
