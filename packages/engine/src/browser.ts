/** What needs no Node.js: a page's bundle loads this alone. */
export { useWasm, type WasmOptions } from './wasm/index.js';
