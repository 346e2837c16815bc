export { type Config, defineConfig } from './config-file.js';
export { METHODS } from './methods.js';
export { main } from './program.js';
export { openSaved, type SavedModel, type SavedTask, savedTask } from './saved-model.js';
export type { PluginEntry, RecipeEntry } from './recipes.js';
export type { Settings } from './settings.js';
export type { Terminal, TerminalStream } from './terminal.js';
