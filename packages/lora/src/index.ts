export { adapterFiles, type AdapterFiles, type AdapterSettings } from './adapter-files.js';
export { mergeAdapterFiles, type MergeReport } from './adapter-merging.js';
export * from './formula.js';
export * from './lora.js';
export { moduleOf, targetKernels, type TargetModules } from './targets.js';
