import type { MethodInfo } from '@hypetune/core';
import { card } from './card.js';
import { RDrop } from './r-drop.js';

export * from './formula.js';
export * from './r-drop.js';

/** R-Drop for listings and config files. */
export const rDropMethod: MethodInfo = { ...card, create: (options) => new RDrop(options) };
