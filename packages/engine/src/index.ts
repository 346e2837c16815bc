export {
  chooseEngine,
  startEngine,
  engineNames,
  EngineError,
  type ChooseOptions,
  type EngineChoice,
  type EngineName,
} from './choose.js';
export { doctor, type DoctorReport } from './doctor.js';
export {
  installEngine,
  listEngines,
  removeEngine,
  type InstallOptions,
  type InstallProgress,
} from './install/install.js';
export type { EngineInstall } from './install/cache.js';
export { InstallError, type InstallErrorCode } from './install/error.js';
export {
  loadLibrary,
  registerNativeBackend,
  type Library,
  type LibraryPaths,
  type NativeBackend,
  type NativeBackendOptions,
} from './libtensorflow/index.js';
export { installPlugin, listPlugins, type PluginInstall } from './install/plugins.js';
export type { NvidiaReport } from './install/nvidia.js';
export {
  Client,
  PjrtError,
  registerPjrtBackend,
  type ClientOption,
  type DeviceMemory,
  type PjrtBackend,
  type PjrtBackendOptions,
} from './pjrt/index.js';
export type { StepRecorder } from './recording/recorder.js';
export type { RecordingReport } from './recording/recorder-setting.js';
export { useWasm, type WasmOptions } from './wasm/index.js';
