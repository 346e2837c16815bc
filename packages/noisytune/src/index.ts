export * from './formula.js';
export * from './noisytune.js';
