export * from './formula.js';
export * from './bi-drop.js';
