export * from './formula.js';
export * from './neftune.js';
