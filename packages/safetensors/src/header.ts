import { type DType, ELEMENT_BYTES, isDType } from './dtype.js';
import { SafetensorsError } from './error.js';
import { JsonError, JsonNumber, type JsonValue, parseJson } from './json.js';

/** Bytes of the length that opens a file: an unsigned 64-bit little-endian integer. */
export const LENGTH_BYTES = 8;
/** The longest header accepted, 100 MB: the limit of the reference implementation. */
export const MAX_HEADER_BYTES = 100_000_000;

/** Where a tensor lies: `begin` and `end` are bytes from the start of the data. */
export interface TensorEntry {
  /** As the file says; {@link readableType} tells whether its elements can be read. */
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly begin: number;
  readonly end: number;
}

/** The checked table of contents; tensors in the order of their data. `dataStart` is in bytes from the start of the file. */
export interface Header {
  readonly tensors: ReadonlyMap<string, TensorEntry>;
  readonly metadata: ReadonlyMap<string, string>;
  readonly dataStart: number;
}

/** The number of header bytes that the first 8 bytes of a file announce, checked against the file's size in bytes. */
export function parseHeaderLength(start: Uint8Array, fileBytes: number, file: string): number {
  if (start.byteLength < LENGTH_BYTES || fileBytes < LENGTH_BYTES) {
    throw new SafetensorsError(
      'truncated',
      file,
      undefined,
      `the file has ${Math.min(fileBytes, start.byteLength)} bytes; a safetensors file starts with an 8-byte header length. Download or write it again.`,
    );
  }
  const length = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES).getBigUint64(0, true);
  if (length > BigInt(MAX_HEADER_BYTES)) {
    throw new SafetensorsError(
      'header-too-large',
      file,
      undefined,
      `the header length is ${String(length)} bytes, more than the limit of ${MAX_HEADER_BYTES}. Is this a safetensors file?`,
    );
  }
  if (LENGTH_BYTES + Number(length) > fileBytes) {
    throw new SafetensorsError(
      'truncated',
      file,
      undefined,
      `the header should have ${String(length)} bytes, but the file ends after ${fileBytes - LENGTH_BYTES} of them. Download or write it again.`,
    );
  }
  return Number(length);
}

/** Reads and checks the header, given its bytes (without the length) and the size of the whole file in bytes. */
export function parseHeader(header: Uint8Array, fileBytes: number, file: string): Header {
  const root = parseRoot(header, file);
  const dataStart = LENGTH_BYTES + header.byteLength;
  const tensors: [string, TensorEntry][] = [];
  let metadata: Map<string, string> = new Map();
  for (const [name, value] of root) {
    if (name === '__metadata__') metadata = readMetadata(value, file);
    else tensors.push([name, readEntry(name, value, file)]);
  }
  tensors.sort(([, a], [, b]) => a.begin - b.begin || a.end - b.end);
  checkLayout(tensors, fileBytes - dataStart, file);
  return { tensors: new Map(tensors), metadata, dataStart };
}

function parseRoot(header: Uint8Array, file: string): Map<string, JsonValue> {
  const invalid = (detail: string): SafetensorsError =>
    new SafetensorsError(
      'header-invalid',
      file,
      undefined,
      `the header ${detail}. Is this a safetensors file?`,
    );
  if (header[0] !== 0x7b) throw invalid('does not start with "{"');
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(header);
  } catch {
    throw invalid('is not valid UTF-8');
  }
  let root: JsonValue;
  try {
    root = parseJson(text);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    if (error.duplicate === undefined) throw invalid(`is not valid JSON ${error.message}`);
    const tensor = error.path[0] ?? error.duplicate;
    throw new SafetensorsError('duplicate-key', file, tensor, `${error.message} in the header`);
  }
  if (!(root instanceof Map)) throw invalid('is not a JSON object');
  return root;
}

function readMetadata(value: JsonValue, file: string): Map<string, string> {
  if (!(value instanceof Map)) {
    throw new SafetensorsError(
      'header-invalid',
      file,
      undefined,
      '__metadata__ must be an object of strings',
    );
  }
  const metadata = new Map<string, string>();
  for (const [key, text] of value) {
    checkName(key, file, '__metadata__ key');
    if (typeof text !== 'string') {
      throw new SafetensorsError(
        'header-invalid',
        file,
        undefined,
        `__metadata__ key "${key}" must hold a string`,
      );
    }
    metadata.set(key, text);
  }
  return metadata;
}

/** Refuses the one name that would change an object's prototype where a reader copies tensors into an object. */
export function checkName(name: string, file: string, what = 'tensor'): void {
  if (name === '__proto__') {
    throw new SafetensorsError(
      'forbidden-name',
      file,
      name,
      `"__proto__" is not accepted as the name of a ${what}`,
    );
  }
}

function readEntry(name: string, value: JsonValue, file: string): TensorEntry {
  checkName(name, file);
  const invalid = (detail: string): SafetensorsError =>
    new SafetensorsError('header-invalid', file, name, detail);
  if (!(value instanceof Map))
    throw invalid('its header entry must be an object with dtype, shape and data_offsets');
  const dtype = value.get('dtype');
  if (typeof dtype !== 'string') throw invalid('dtype must be a string');
  const shape = readIntegers(value.get('shape'), 'shape', name, file);
  const offsets = readIntegers(value.get('data_offsets'), 'data_offsets', name, file);
  const [begin, end] = offsets;
  if (begin === undefined || end === undefined || offsets.length !== 2) {
    throw invalid('data_offsets must be two integers, begin and end');
  }
  if (begin > end) throw invalid(`data_offsets must not run backwards, got [${begin}, ${end}]`);
  checkSize({ dtype, shape, begin, end }, name, file);
  return { dtype, shape, begin, end };
}

/** The entry's type, if it is one that can be read; a file may hold tensors of other types that nobody reads. */
export function readableType({ dtype }: TensorEntry, name: string, file: string): DType {
  if (isDType(dtype)) return dtype;
  throw new SafetensorsError(
    'unknown-dtype',
    file,
    name,
    `dtype "${dtype}" is not supported; supported are ${Object.keys(ELEMENT_BYTES).join(', ')}`,
  );
}

function readIntegers(value: JsonValue | undefined, field: string, name: string, file: string): number[] {
  if (!Array.isArray(value))
    throw new SafetensorsError('header-invalid', file, name, `${field} must be a list`);
  return value.map((item) => {
    if (!(item instanceof JsonNumber) || !/^\d+$/.test(item.digits)) {
      throw new SafetensorsError('header-invalid', file, name, `${field} must hold integers of 0 or more`);
    }
    const number = Number(item.digits);
    if (!Number.isSafeInteger(number)) {
      throw new SafetensorsError('overflow', file, name, `${field} holds ${item.digits}, beyond 2^53 - 1`);
    }
    return number;
  });
}

/** Number of elements of `shape`; `undefined` where the product is beyond 2^53 - 1. */
export function elementCount(shape: readonly number[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

function checkSize(entry: TensorEntry, name: string, file: string): void {
  const { dtype, shape, begin, end } = entry;
  if (!isDType(dtype)) return; // an element's size is not known
  const bytes = (elementCount(shape) ?? Infinity) * ELEMENT_BYTES[dtype];
  const described = `shape [${shape.join(', ')}] of ${dtype}`;
  if (!Number.isSafeInteger(bytes)) {
    throw new SafetensorsError('overflow', file, name, `${described} is more than 2^53 - 1 bytes`);
  }
  if (bytes !== end - begin) {
    throw new SafetensorsError(
      'size-mismatch',
      file,
      name,
      `${described} takes ${bytes} bytes, but data_offsets [${begin}, ${end}] hold ${end - begin}`,
    );
  }
}

/** Tensors, sorted by offset, must cover the data without overlap, hole or remainder. */
function checkLayout(tensors: readonly [string, TensorEntry][], dataBytes: number, file: string): void {
  let reached = 0;
  let previous = 'the start of the data';
  for (const [name, { begin, end }] of tensors) {
    if (begin < reached) {
      throw new SafetensorsError(
        'overlap',
        file,
        name,
        `its data begin at ${begin}, inside ${previous} (to ${reached})`,
      );
    }
    if (begin > reached) {
      throw new SafetensorsError(
        'hole',
        file,
        name,
        `its data begin at ${begin}, a hole of ${begin - reached} bytes after ${previous}`,
      );
    }
    if (end > dataBytes) {
      throw new SafetensorsError(
        'beyond-file',
        file,
        name,
        `its data end at ${end}, but the file holds only ${dataBytes} bytes of data: it is truncated. Download or write it again.`,
      );
    }
    reached = end;
    previous = `tensor "${name}"`;
  }
  if (reached !== dataBytes) {
    throw new SafetensorsError(
      'hole',
      file,
      undefined,
      `${dataBytes - reached} bytes after ${previous} belong to no tensor`,
    );
  }
}
