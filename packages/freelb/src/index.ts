export * from './formula.js';
export * from './freelb.js';
