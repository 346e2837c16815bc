import {
  TF_COMPLEX64,
  TF_STRING,
  allocateArray,
  arrayFits,
  dimensions,
  elementBytes,
  sizeOf,
  type TypedArray,
  type Values,
} from '../recording/data-types.js';
import type { Library } from './library.js';

/** Bytes of a TF_TString. */
const STRING_BYTES = 24;

/** A new TF_Tensor with a copy of the values; the caller deletes it. */
export function createTensor(
  library: Library,
  dtype: number,
  shape: readonly number[],
  values: Values,
): number {
  const size = sizeOf(shape);
  if (dtype === TF_STRING) return createStrings(library, shape, size, values as readonly Uint8Array[]);
  const array = values as TypedArray;
  const bytes = size * elementBytes(dtype);
  if (!arrayFits(dtype, array) || array.byteLength !== bytes) {
    throw new Error(
      `A tensor of shape [${shape.join(', ')}] and TensorFlow type ${dtype} needs ${bytes} bytes of its own kind, ` +
        `got ${array.constructor.name} of ${array.byteLength} bytes.`,
    );
  }
  const { symbols: s, memory } = library;
  const tensor = s.TF_AllocateTensor(dtype, dimensions(shape), shape.length, bytes);
  if (bytes > 0) memory.write(s.TF_TensorData(tensor), array, bytes);
  return tensor;
}

/** Long strings stay in memory for good: the C API does not free them, and a reshaped tensor shares them. */
function createStrings(
  { symbols: s }: Library,
  shape: readonly number[],
  size: number,
  values: readonly Uint8Array[],
): number {
  if (values.length !== size)
    throw new Error(`A string tensor of shape [${shape.join(', ')}] got ${values.length} strings.`);
  const tensor = s.TF_AllocateTensor(TF_STRING, dimensions(shape), shape.length, size * STRING_BYTES);
  let address = s.TF_TensorData(tensor);
  for (const text of values) {
    s.TF_StringInit(address);
    s.TF_StringCopy(address, text.length > 0 ? text : Buffer.alloc(1), text.length);
    address += STRING_BYTES;
  }
  return tensor;
}

/** A new eager handle with a copy of the values. */
export function createHandle(
  library: Library,
  dtype: number,
  shape: readonly number[],
  values: Values,
): number {
  return moveHandle(library, createTensor(library, dtype, shape, values));
}

/** A new eager handle with the memory of a TF_Tensor, which is deleted. */
export function moveHandle(library: Library, tensor: number): number {
  const { symbols: s, status } = library;
  const handle = s.TFE_NewTensorHandle(tensor, status);
  s.TF_DeleteTensor(tensor);
  library.check('Creating a tensor');
  return handle;
}

/** The values behind a handle, copied once. */
export function readHandle(library: Library, handle: number, dtype: number): Values {
  const tensor = library.symbols.TFE_TensorHandleResolve(handle, library.status);
  library.check('Reading a tensor');
  return copyOut(library, tensor, dtype);
}

/** The same without blocking the event loop while the values are being computed. */
export async function readHandleAsync(library: Library, handle: number, dtype: number): Promise<Values> {
  const { symbols: s } = library;
  const status = s.TF_NewStatus();
  // tfjs may dispose the tensor meanwhile: a reference of our own keeps it.
  const own = s.TFE_TensorHandleCopySharingTensor(handle, library.status);
  library.check('Reading a tensor');
  try {
    const tensor = await new Promise<number>((resolve, reject) => {
      s.TFE_TensorHandleResolve.async(own, status, (error, result) => {
        if (error === null) resolve(result);
        else reject(error);
      });
    });
    if (s.TF_GetCode(status) !== 0) throw new Error(`Reading a tensor: ${s.TF_Message(status)}`);
    return copyOut(library, tensor, dtype);
  } finally {
    s.TFE_DeleteTensorHandle(own);
    s.TF_DeleteStatus(status);
  }
}

/** Copies a TF_Tensor's values and deletes it. */
function copyOut({ symbols: s, memory }: Library, tensor: number, dtype: number): Values {
  try {
    const address = s.TF_TensorData(tensor);
    if (dtype === TF_STRING) {
      return Array.from({ length: s.TF_TensorElementCount(tensor) }, (_, i) => {
        const text = address + i * STRING_BYTES;
        const bytes = new Uint8Array(s.TF_StringGetSize(text));
        if (bytes.length > 0) memory.read(bytes, s.TF_StringGetDataPointer(text), bytes.length);
        return bytes;
      });
    }
    const bytes = s.TF_TensorByteSize(tensor);
    const array = allocateArray(dtype, bytes);
    if (bytes > 0) memory.read(array, address, bytes);
    return array;
  } finally {
    s.TF_DeleteTensor(tensor);
  }
}

/** Shape of a handle. */
export function shapeOf({ symbols: s, status }: Library, handle: number): number[] {
  const rank = s.TFE_TensorHandleNumDims(handle, status);
  const shape = new Array<number>(rank);
  for (let i = 0; i < rank; i++) shape[i] = s.TFE_TensorHandleDim(handle, i, status);
  return shape;
}

/** Whether tfjs sees this type as plain numbers that may be kept on the host. */
export function isNumeric(dtype: number): boolean {
  return dtype !== TF_STRING && dtype !== TF_COMPLEX64 && dtype < 20;
}
