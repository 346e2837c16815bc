export * from './formula.js';
export * from './swa.js';
