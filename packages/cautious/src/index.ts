export * from './formula.js';
export * from './cautious.js';
