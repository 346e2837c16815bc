export * from './formula.js';
export * from './layer-decay.js';
