export * from './formula.js';
export * from './smart.js';
