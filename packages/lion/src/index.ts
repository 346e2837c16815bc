export * from './formula.js';
export * from './lion.js';
