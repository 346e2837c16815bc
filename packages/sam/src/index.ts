export * from './formula.js';
export * from './sam.js';
