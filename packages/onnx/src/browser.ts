/** What needs no Node.js: a page's bundle loads this alone. */
export { modelBytes } from './model-bytes.js';
export { type ModelGraph, modelGraph } from './model-graph.js';
export { PRECISION_FILES, type Precision } from './precision.js';
