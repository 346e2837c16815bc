export * from './formula.js';
export * from './gradual-unfreezing.js';
