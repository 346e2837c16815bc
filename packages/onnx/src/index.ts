export { type WriteOptions, modelBytes, writeModel } from './model-file.js';
export { type ModelGraph, modelGraph } from './model-graph.js';
export { PRECISION_FILES, type Precision } from './precision.js';
