export * from './formula.js';
export * from './child-tuning.js';
