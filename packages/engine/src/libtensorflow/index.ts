export { loadLibrary, type Library, type LibraryPaths } from './library.js';
export { registerNativeBackend, type NativeBackend, type NativeBackendOptions } from './backend.js';
