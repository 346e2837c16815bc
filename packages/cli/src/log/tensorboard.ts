import { openSync, writeSync, closeSync, mkdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';

/** A number of a step by its tag. */
export interface Scalar {
  readonly tag: string;
  readonly step: number;
  readonly value: number;
}

/** CRC-32C (Castagnoli) by table. */
const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1;
  return value;
});

function crc32c(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (const byte of bytes) crc = TABLE[(crc ^ byte) & 0xff]! ^ (crc >>> 8);
  return (crc ^ 0xffffffff) >>> 0;
}

/** As records hold it, so that a checksum of checksums is none. */
function masked(bytes: Uint8Array): number {
  const crc = crc32c(bytes);
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

/** A record of TensorFlow's files: length, checksum, content, checksum. */
function record(content: Uint8Array): Buffer {
  const head = Buffer.alloc(12);
  head.writeBigUInt64LE(BigInt(content.length));
  head.writeUInt32LE(masked(head.subarray(0, 8)), 8);
  const tail = Buffer.alloc(4);
  tail.writeUInt32LE(masked(content));
  return Buffer.concat([head, content, tail]);
}

/** A field of a protocol buffer that holds bytes. */
function bytesField(field: number, content: Uint8Array): Buffer {
  return Buffer.concat([Buffer.from([(field << 3) | 2]), varint(content.length), content]);
}

function varint(value: number): Buffer {
  const bytes: number[] = [];
  let left = BigInt(value);
  do {
    const low = Number(left & 127n);
    left >>= 7n;
    bytes.push(left > 0n ? low | 128 : low);
  } while (left > 0n);
  return Buffer.from(bytes);
}

/** An `Event`: wall time, then the step, then what it holds. */
function event(wallTime: number, rest: readonly Buffer[]): Buffer {
  const time = Buffer.alloc(9);
  time[0] = (1 << 3) | 1;
  time.writeDoubleLE(wallTime, 1);
  return Buffer.concat([time, ...rest]);
}

/** The record that begins a file of events. */
export function fileStart(wallTime: number): Buffer {
  return record(event(wallTime, [bytesField(3, Buffer.from('brain.Event:2'))]));
}

/** The record of a scalar, as TensorBoard's scalars plugin reads it. */
export function scalarRecord(wallTime: number, { tag, step, value }: Scalar): Buffer {
  const number = Buffer.alloc(5);
  number[0] = (2 << 3) | 5;
  number.writeFloatLE(value, 1);
  const summary = bytesField(1, Buffer.concat([bytesField(1, Buffer.from(tag)), number]));
  return record(event(wallTime, [Buffer.from([2 << 3]), varint(step), bytesField(5, summary)]));
}

/** A file of events that grows. */
export class EventFile {
  readonly #file: number;

  constructor(folder: string, now: number = Date.now()) {
    mkdirSync(folder, { recursive: true });
    const name = `events.out.tfevents.${Math.floor(now / 1000)}.${hostname()}.${process.pid}.${now % 1000}`;
    this.#file = openSync(join(folder, name), 'w');
    writeSync(this.#file, fileStart(now / 1000));
  }

  write(scalar: Scalar, now: number = Date.now()): void {
    writeSync(this.#file, scalarRecord(now / 1000, scalar));
  }

  close(): void {
    closeSync(this.#file);
  }
}
