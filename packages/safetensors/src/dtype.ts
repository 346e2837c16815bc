/** Bytes of one element, by the format's own name of the type. */
export const ELEMENT_BYTES = {
  BOOL: 1,
  U8: 1,
  I8: 1,
  U16: 2,
  I16: 2,
  F16: 2,
  BF16: 2,
  U32: 4,
  I32: 4,
  F32: 4,
  U64: 8,
  I64: 8,
  F64: 8,
} as const;

/** An element type that this package reads and writes. */
export type DType = keyof typeof ELEMENT_BYTES;

/** Elements in memory. F16 and BF16 are held as float32, BOOL as bytes of 0 and 1. */
export type TensorData =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

const ARRAYS = {
  BOOL: Uint8Array,
  U8: Uint8Array,
  I8: Int8Array,
  U16: Uint16Array,
  I16: Int16Array,
  F16: Float32Array,
  BF16: Float32Array,
  U32: Uint32Array,
  I32: Int32Array,
  F32: Float32Array,
  U64: BigUint64Array,
  I64: BigInt64Array,
  F64: Float64Array,
} as const;

export function isDType(name: string): name is DType {
  return Object.hasOwn(ELEMENT_BYTES, name);
}

/** A class of typed arrays, as far as a check of the class needs it. */
export type TensorDataClass = abstract new (length: number) => TensorData;

/** The class of typed array that holds elements of `dtype`. */
export function classOf(dtype: DType): TensorDataClass {
  return ARRAYS[dtype];
}

/** Elements of `dtype` from little-endian bytes: a view where the alignment allows one, else a copy. */
export function decodeElements(bytes: Uint8Array, dtype: DType): TensorData {
  const size = ELEMENT_BYTES[dtype];
  // A constructor copies, where `slice` of Node.js's Buffer gives a view.
  const aligned = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes);
  const count = bytes.byteLength / size;
  if (dtype === 'F16' || dtype === 'BF16') {
    const bits = new Uint16Array(aligned.buffer, aligned.byteOffset, count);
    return dtype === 'F16' ? floatsFromHalf(bits) : floatsFromBfloat(bits);
  }
  return new ARRAYS[dtype](aligned.buffer as ArrayBuffer, aligned.byteOffset, count);
}

/** Little-endian bytes of elements; float32 becomes F16 or BF16 by rounding to nearest, ties to even. */
export function encodeElements(data: TensorData, dtype: DType): Uint8Array {
  if (data instanceof Float32Array && dtype === 'F16') return bytesOf(Uint16Array.from(data, halfFromFloat));
  if (data instanceof Float32Array && dtype === 'BF16')
    return bytesOf(Uint16Array.from(data, bfloatFromFloat));
  return bytesOf(data);
}

function bytesOf(data: TensorData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

/** bfloat16 is the upper half of a float32. */
function floatsFromBfloat(bits: Uint16Array): Float32Array {
  const words = Uint32Array.from(bits, (half) => half << 16);
  return new Float32Array(words.buffer);
}

/** IEEE 754 half precision: 1 sign, 5 exponent and 10 fraction bits; every value is a float32. */
function floatsFromHalf(bits: Uint16Array): Float32Array {
  return Float32Array.from(bits, (half) => {
    const sign = half & 0x8000 ? -1 : 1;
    const exponent = (half >> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) return fraction ? NaN : sign * Infinity;
    if (exponent === 0) return sign * fraction * 2 ** -24;
    return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
  });
}

const word = new Uint32Array(1);
const float = new Float32Array(word.buffer);

function bfloatFromFloat(value: number): number {
  if (Number.isNaN(value)) return 0x7fc0;
  float[0] = value;
  const bits = word[0]!;
  return ((bits + 0x7fff + ((bits >>> 16) & 1)) >>> 16) & 0xffff;
}

function halfFromFloat(value: number): number {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const size = Math.abs(value);
  if (Number.isNaN(value)) return 0x7e00;
  if (size >= 65520) return sign | 0x7c00;
  // The unit of the last place: 2^-24 below the smallest normal number, else 2^(exponent - 10).
  const exponent = size < 2 ** -14 ? -14 : Math.floor(Math.log2(size));
  const unit = 2 ** (exponent - 10);
  const steps = roundHalfToEven(size / unit);
  return sign | (((exponent + 14) << 10) + steps);
}

function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest > 0.5 || (rest === 0.5 && floor % 2 === 1)) return floor + 1;
  return floor;
}
