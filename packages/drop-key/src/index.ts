export * from './formula.js';
export * from './drop-key.js';
