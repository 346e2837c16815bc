export * from './browser.js';
export { type WriteOptions, writeModel } from './model-file.js';
