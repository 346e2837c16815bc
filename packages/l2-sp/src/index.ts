export * from './formula.js';
export * from './l2-sp.js';
