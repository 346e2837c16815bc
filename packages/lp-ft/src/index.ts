export * from './formula.js';
export * from './lp-ft.js';
