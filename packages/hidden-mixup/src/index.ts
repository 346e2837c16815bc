export * from './draw.js';
export * from './formula.js';
export * from './hidden-mixup.js';
