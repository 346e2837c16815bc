export * from './formula.js';
export * from './flooding.js';
