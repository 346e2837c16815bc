export * from './formula.js';
export * from './lora.js';
