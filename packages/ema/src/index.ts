export * from './formula.js';
export * from './ema.js';
