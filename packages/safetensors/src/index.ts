export { type DType, type TensorData, decodeElements, encodeElements } from './dtype.js';
export { SafetensorsError, type SafetensorsErrorCode } from './error.js';
export {
  type Header,
  LENGTH_BYTES,
  type TensorEntry,
  parseHeader,
  parseHeaderLength,
  readableType,
} from './header.js';
export { type StoredTensor, parseMetadata, parseSafetensors } from './reader.js';
export { type PendingTensor, serializeSafetensors, streamSafetensors } from './writer.js';
