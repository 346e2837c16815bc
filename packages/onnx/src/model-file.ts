import { type FileHandle, open, rm } from 'node:fs/promises';
import { basename } from 'node:path';
import type { Value } from './graph.js';
import { modelMessage, MOST_BYTES, type Place } from './model-bytes.js';
import type { ModelGraph } from './model-graph.js';

/** Constants that are shorter stay in the model's file. */
const SHORT = 1024;
/** Where each constant begins in a file of its own. */
const ALIGNMENT = 64;

/** How a model is written. */
export interface WriteOptions {
  /** Bytes from which on the constants stand in `NAME_data` beside the file (default: what protobuf can hold, 2 GiB). */
  readonly externalFrom?: number;
}

/**
 * Writes a graph as an ONNX file, and its constants as `NAME_data` beside it where the file would grow too large. Returns the files
 * written, by name.
 */
export async function writeModel(
  path: string,
  model: ModelGraph,
  { externalFrom = MOST_BYTES }: WriteOptions = {},
): Promise<string[]> {
  const data = `${path}_data`;
  const total = sum([...model.graph.constants.values()].map(({ bytes }) => bytes.byteLength));
  if (total < externalFrom) {
    await writeChunks(path, modelMessage(model, new Map()).chunks);
    await rm(data, { force: true });
    return [basename(path)];
  }
  const places = new Map<Value, Place>();
  const chunks: Uint8Array[] = [];
  let end = 0;
  for (const [name, { bytes }] of model.graph.constants) {
    if (bytes.byteLength < SHORT) continue;
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT;
    chunks.push(new Uint8Array(offset - end), bytes);
    places.set(name, { location: basename(data), offset, length: bytes.byteLength });
    end = offset + bytes.byteLength;
  }
  await writeChunks(data, chunks);
  await writeChunks(path, modelMessage(model, places).chunks);
  return [basename(path), basename(data)];
}

async function writeChunks(path: string, chunks: readonly Uint8Array[]): Promise<void> {
  const file = await open(path, 'w');
  try {
    // Small ones together: a graph has thousands.
    for (const batch of batches(chunks)) await writeAll(file, batch);
  } finally {
    await file.close();
  }
}

const TOGETHER = 2 ** 20;

function* batches(chunks: readonly Uint8Array[]): Generator<Uint8Array> {
  let small: Uint8Array[] = [];
  for (const chunk of chunks) {
    if (chunk.byteLength < TOGETHER) {
      small.push(chunk);
      if (sum(small.map(({ byteLength }) => byteLength)) < TOGETHER && small.length < 1000) continue;
      yield Buffer.concat(small);
    } else {
      yield Buffer.concat(small);
      yield chunk;
    }
    small = [];
  }
  yield Buffer.concat(small);
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.byteLength;)
    at += (await file.write(bytes, at, Math.min(bytes.byteLength - at, 2 ** 30))).bytesWritten;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
