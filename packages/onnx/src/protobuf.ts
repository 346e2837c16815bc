/** Largest integer that {@link Message} writes. */
const LARGEST = Number.MAX_SAFE_INTEGER;

type WireType = 'varint' | 'bytes' | 'float';

const WIRE: Readonly<Record<WireType, number>> = { varint: 0, bytes: 2, float: 5 };

/**
 * One protobuf message, field after field in the order written. Long byte strings are kept as they are, not copied: `chunks` joined
 * are the message. Integers are int64 as protobuf writes them, negative ones in ten bytes.
 */
export class Message {
  readonly chunks: Uint8Array[] = [];
  private length = 0;

  /** Bytes of the message. */
  get byteLength(): number {
    return this.length;
  }

  /** Throws where the value is no safe integer. */
  integer(field: number, value: number): this {
    if (!Number.isSafeInteger(value))
      throw new Error(`protobuf: field ${field} must be an integer of at most ${LARGEST}, got ${value}.`);
    return this.append([tag(field, 'varint'), varint(BigInt(value))]);
  }

  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.append([tag(field, 'float'), bytes]);
  }

  text(field: number, value: string): this {
    return this.bytes(field, new TextEncoder().encode(value));
  }

  bytes(field: number, value: Uint8Array): this {
    return this.append([tag(field, 'bytes'), varint(BigInt(value.byteLength)), value]);
  }

  message(field: number, value: Message): this {
    return this.append([tag(field, 'bytes'), varint(BigInt(value.byteLength)), ...value.chunks]);
  }

  private append(chunks: readonly Uint8Array[]): this {
    for (const chunk of chunks) {
      this.chunks.push(chunk);
      this.length += chunk.byteLength;
    }
    return this;
  }
}

const tag = (field: number, type: WireType): Uint8Array => varint(BigInt((field << 3) | WIRE[type]));

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  for (; rest > 0x7fn; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return Uint8Array.from([...bytes, Number(rest)]);
}
