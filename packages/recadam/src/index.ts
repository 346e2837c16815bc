export * from './formula.js';
export * from './recadam.js';
