export * from './formula.js';
export * from './r-drop.js';
