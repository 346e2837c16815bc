/** Element types and attribute kinds of the TensorFlow C API, under the names tfjs-node's addon gives them. */
export const TF_FLOAT = 1;
export const TF_INT32 = 3;
export const TF_UINT8 = 4;
export const TF_STRING = 7;
export const TF_COMPLEX64 = 8;
export const TF_INT64 = 9;
export const TF_BOOL = 10;
export const TF_BFLOAT16 = 14;
export const TF_RESOURCE = 20;
export const TF_UINT32 = 22;

export const TF_ATTR_STRING = 0;
export const TF_ATTR_INT = 1;
export const TF_ATTR_FLOAT = 2;
export const TF_ATTR_BOOL = 3;
export const TF_ATTR_TYPE = 4;
export const TF_ATTR_SHAPE = 5;
export const TF_ATTR_TENSOR = 6;
export const TF_ATTR_FUNC = 8;

export type TypedArray = Float32Array | Int32Array | Uint8Array | BigInt64Array | Uint32Array;
/** What tfjs hands to `createTensor`: numbers, or one byte array per string. */
export type Values = TypedArray | readonly Uint8Array[];

/** A typed array able to hold `bytes` bytes of elements of `dtype`; complex numbers are pairs of floats. */
export function allocateArray(dtype: number, bytes: number): TypedArray {
  switch (dtype) {
    case TF_FLOAT:
    case TF_COMPLEX64:
      return new Float32Array(bytes / 4);
    case TF_INT32:
      return new Int32Array(bytes / 4);
    case TF_UINT32:
      return new Uint32Array(bytes / 4);
    case TF_INT64:
      return new BigInt64Array(bytes / 8);
    case TF_BOOL:
    case TF_UINT8:
    case TF_RESOURCE:
      return new Uint8Array(bytes);
    default:
      throw new Error(`A tensor of TensorFlow type ${dtype} cannot be read: no JavaScript array holds it.`);
  }
}

/** Whether a typed array's elements are laid out as `dtype`'s (int64 also comes as pairs of int32). */
export function arrayFits(dtype: number, values: TypedArray): boolean {
  switch (dtype) {
    case TF_FLOAT:
    case TF_COMPLEX64:
      return values instanceof Float32Array;
    case TF_INT32:
      return values instanceof Int32Array;
    case TF_UINT32:
      return values instanceof Uint32Array;
    case TF_INT64:
      return values instanceof Int32Array || values instanceof BigInt64Array;
    case TF_BOOL:
    case TF_UINT8:
      return values instanceof Uint8Array;
    default:
      return false;
  }
}

/** Bytes an element of a numeric type takes. */
export function elementBytes(dtype: number): number {
  switch (dtype) {
    case TF_INT64:
    case TF_COMPLEX64:
      return 8;
    case TF_BOOL:
    case TF_UINT8:
      return 1;
    default:
      return 4;
  }
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const dimension of shape) size *= dimension;
  return size;
}

const names = new Map<string, Buffer>();

/** A zero-terminated copy of a name that lives as long as the process: C code may keep its address. */
export function cName(name: string): Buffer {
  let buffer = names.get(name);
  if (buffer === undefined) names.set(name, (buffer = Buffer.from(`${name}\0`)));
  return buffer;
}

/** A shape as the int64_t array that C wants. */
export function dimensions(shape: readonly number[]): BigInt64Array {
  return BigInt64Array.from(shape, BigInt);
}
