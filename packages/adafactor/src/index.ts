export * from './formula.js';
export * from './adafactor.js';
