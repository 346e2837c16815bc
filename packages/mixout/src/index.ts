export * from './formula.js';
export * from './mixout.js';
