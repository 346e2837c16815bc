export { Client, type ClientOption, type DeviceMemory } from './client.js';
export { PjrtError } from './interface.js';
export { registerPjrtBackend, type PjrtBackend, type PjrtBackendOptions } from './backend.js';
