import { type DType, type TensorData, decodeElements } from './dtype.js';
import { type Header, LENGTH_BYTES, parseHeader, parseHeaderLength, readableType } from './header.js';

/** A tensor as stored: `data` has the product of `shape` elements; F16 and BF16 are held as float32. */
export interface StoredTensor {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly data: TensorData;
}

/** The tensors of a whole file in memory, in the order of their data. `file` is the name that errors give. */
export function parseSafetensors(bytes: Uint8Array, file = 'safetensors'): Map<string, StoredTensor> {
  const { tensors, dataStart } = headerOf(bytes, file);
  return new Map(
    Array.from(tensors, ([name, entry]) => {
      const dtype = readableType(entry, name, file);
      const data = decodeElements(bytes.subarray(dataStart + entry.begin, dataStart + entry.end), dtype);
      return [name, { dtype, shape: entry.shape, data }];
    }),
  );
}

/** The `__metadata__` of a whole file in memory. */
export function parseMetadata(bytes: Uint8Array, file = 'safetensors'): ReadonlyMap<string, string> {
  return headerOf(bytes, file).metadata;
}

function headerOf(bytes: Uint8Array, file: string): Header {
  const length = parseHeaderLength(bytes, bytes.byteLength, file);
  return parseHeader(bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + length), bytes.byteLength, file);
}
