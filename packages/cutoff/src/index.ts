export * from './formula.js';
export * from './cutoff.js';
