export * from './formula.js';
export * from './layer-drop.js';
