import { ELEMENT_BYTES, classOf, encodeElements } from './dtype.js';
import { SafetensorsError } from './error.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES, checkName, elementCount } from './header.js';
import type { StoredTensor } from './reader.js';

const WRITER = 'safetensors';

/**
 * The bytes of a file that holds `tensors`: wide elements first, then by name, so that the same tensors give the same
 * bytes and every tensor is aligned. `metadata` holds strings only.
 */
export function serializeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype] || (nameA < nameB ? -1 : Number(nameA > nameB)),
  );
  const entries: string[] = [];
  const chunks: Uint8Array[] = [];
  const keys = Object.keys(metadata);
  for (const key of keys) checkName(key, WRITER, '__metadata__ key');
  if (keys.length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let offset = 0;
  const names = new Set<string>();
  for (const [name, tensor] of sorted) {
    checkTensor(name, tensor);
    if (names.has(name)) {
      throw new SafetensorsError('duplicate-key', WRITER, name, 'two tensors have this name');
    }
    names.add(name);
    const chunk = encodeElements(tensor.data, tensor.dtype);
    const entry = {
      dtype: tensor.dtype,
      shape: tensor.shape,
      data_offsets: [offset, offset + chunk.byteLength],
    };
    entries.push(`${JSON.stringify(name)}:${JSON.stringify(entry)}`);
    chunks.push(chunk);
    offset += chunk.byteLength;
  }
  const text = new TextEncoder().encode(`{${entries.join(',')}}`);
  const headerBytes = Math.ceil(text.byteLength / 8) * 8;
  if (headerBytes > MAX_HEADER_BYTES) {
    throw new SafetensorsError(
      'header-too-large',
      WRITER,
      undefined,
      `the header would have ${headerBytes} bytes, more than ${MAX_HEADER_BYTES}`,
    );
  }
  const file = new Uint8Array(LENGTH_BYTES + headerBytes + offset);
  new DataView(file.buffer).setBigUint64(0, BigInt(headerBytes), true);
  file.set(text, LENGTH_BYTES);
  file.fill(0x20, LENGTH_BYTES + text.byteLength, LENGTH_BYTES + headerBytes);
  let at = LENGTH_BYTES + headerBytes;
  for (const chunk of chunks) {
    file.set(chunk, at);
    at += chunk.byteLength;
  }
  return file;
}

function checkTensor(name: string, { dtype, shape, data }: StoredTensor): void {
  checkName(name, WRITER);
  if (name === '__metadata__') {
    throw new SafetensorsError(
      'forbidden-name',
      WRITER,
      name,
      "this name is the format's own; pass `metadata` instead",
    );
  }
  const Wanted = classOf(dtype);
  if (!(data instanceof Wanted)) {
    throw new SafetensorsError(
      'invalid-data',
      WRITER,
      name,
      `${dtype} is written from a ${Wanted.name}, got ${data.constructor.name}`,
    );
  }
  if (elementCount(shape) !== data.length) {
    throw new SafetensorsError(
      'size-mismatch',
      WRITER,
      name,
      `shape [${shape.join(', ')}] does not hold ${data.length} elements`,
    );
  }
}
