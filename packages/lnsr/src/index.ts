export * from './formula.js';
export * from './lnsr.js';
