export * from './formula.js';
export * from './distillation.js';
