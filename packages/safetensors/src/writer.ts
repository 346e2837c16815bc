import { ELEMENT_BYTES, classOf, encodeElements, type TensorData } from './dtype.js';
import { SafetensorsError } from './error.js';
import { LENGTH_BYTES, MAX_HEADER_BYTES, checkName, elementCount } from './header.js';
import type { StoredTensor } from './reader.js';

const WRITER = 'safetensors';

/** A tensor whose elements are fetched when it is its turn to be written. */
export interface PendingTensor extends Omit<StoredTensor, 'data'> {
  readonly read: () => TensorData | Promise<TensorData>;
}

/**
 * The bytes of a file that holds `tensors`: wide elements first, then by name, so that the same tensors give the same
 * bytes and every tensor is aligned. `metadata` holds strings only.
 */
export function serializeSafetensors(
  tensors: Iterable<readonly [string, StoredTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const { header, sorted, bytes } = layOut(tensors, metadata);
  const file = new Uint8Array(header.byteLength + bytes);
  file.set(header);
  let at = header.byteLength;
  for (const [name, tensor] of sorted) {
    const chunk = encoded(name, tensor, tensor.data);
    file.set(chunk, at);
    at += chunk.byteLength;
  }
  return file;
}

/** The same file piece by piece, one tensor in memory at a time. */
export async function* streamSafetensors(
  tensors: Iterable<readonly [string, PendingTensor]>,
  metadata: Readonly<Record<string, string>> = {},
): AsyncGenerator<Uint8Array> {
  const { header, sorted } = layOut(tensors, metadata);
  yield header;
  for (const [name, tensor] of sorted) yield encoded(name, tensor, await tensor.read());
}

type Layout = Pick<StoredTensor, 'dtype' | 'shape'>;

/** What stands before the elements, the tensors in the order of the file, and how many bytes they have. */
function layOut<T extends Layout>(
  tensors: Iterable<readonly [string, T]>,
  metadata: Readonly<Record<string, string>>,
): { header: Uint8Array; sorted: (readonly [string, T])[]; bytes: number } {
  const sorted = [...tensors].sort(
    ([nameA, a], [nameB, b]) =>
      ELEMENT_BYTES[b.dtype] - ELEMENT_BYTES[a.dtype] || (nameA < nameB ? -1 : Number(nameA > nameB)),
  );
  const entries: string[] = [];
  const keys = Object.keys(metadata);
  for (const key of keys) checkName(key, WRITER, '__metadata__ key');
  if (keys.length > 0) entries.push(`"__metadata__":${JSON.stringify(metadata)}`);
  let bytes = 0;
  const names = new Set<string>();
  for (const [name, { dtype, shape }] of sorted) {
    checkTensorName(name);
    if (names.has(name)) {
      throw new SafetensorsError('duplicate-key', WRITER, name, 'two tensors have this name');
    }
    names.add(name);
    const count = elementCount(shape);
    if (count === undefined)
      throw new SafetensorsError('size-mismatch', WRITER, name, `shape [${shape.join(', ')}] is no shape`);
    const end = bytes + count * ELEMENT_BYTES[dtype];
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [bytes, end] })}`);
    bytes = end;
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
  const header = new Uint8Array(LENGTH_BYTES + headerBytes).fill(0x20);
  new DataView(header.buffer).setBigUint64(0, BigInt(headerBytes), true);
  header.set(text, LENGTH_BYTES);
  return { header, sorted, bytes };
}

function checkTensorName(name: string): void {
  checkName(name, WRITER);
  if (name === '__metadata__') {
    throw new SafetensorsError(
      'forbidden-name',
      WRITER,
      name,
      "this name is the format's own; pass `metadata` instead",
    );
  }
}

/** A tensor's bytes; throws where its elements are not what was announced. */
function encoded(name: string, { dtype, shape }: Layout, data: TensorData): Uint8Array {
  const Wanted = classOf(dtype);
  if (!(data instanceof Wanted)) {
    throw new SafetensorsError(
      'invalid-data',
      WRITER,
      name,
      `${dtype} is written from a ${Wanted.name}, got ${(data as object).constructor.name}`,
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
  return encodeElements(data, dtype);
}
