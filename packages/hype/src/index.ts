export * from './formula.js';
export * from './hype.js';
