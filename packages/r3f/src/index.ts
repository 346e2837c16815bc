export * from './formula.js';
export * from './spectral-norm.js';
export * from './r3f.js';
