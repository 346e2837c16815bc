export * from './formula.js';
export * from './top-k.js';
