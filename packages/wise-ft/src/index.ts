export * from './formula.js';
export * from './wise-ft.js';
