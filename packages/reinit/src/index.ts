export * from './formula.js';
export * from './reinit.js';
