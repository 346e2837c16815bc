export { type Config, defineConfig } from './config-file.js';
export { METHODS } from './methods.js';
export { main } from './program.js';
export type { PluginEntry, RecipeEntry } from './recipes.js';
export type { Settings } from './settings.js';
export type { Terminal, TerminalStream } from './terminal.js';
export {
  openRun,
  type TextExample,
  type TextFit,
  type TextFitOptions,
  TextClassifier,
  type TextClassifierOptions,
  type TextInput,
  type TextModel,
  type TextPrediction,
} from './text-classifier.js';
export { type ExampleColumns, readExamples } from './examples.js';
