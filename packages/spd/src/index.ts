export * from './formula.js';
export * from './spd.js';
