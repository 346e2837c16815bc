import * as tf from '@tensorflow/tfjs-core';
import type { BridgedKernel } from '../bridge.js';
import type { laneKernels } from './lane-kernels.js';
import type { LaneUnit } from './lanes.js';
import type { Multiplier } from './multiplier.js';
import type { WasmMemory } from './webassembly.js';

/** The parts of tfjs's wasm backend that the kernels here use. */
export interface WasmBackend extends tf.KernelBackend {
  readonly wasm: {
    readonly asm: { readonly memory: WasmMemory; readonly malloc: (bytes: number) => number };
    _malloc: (bytes: number) => number;
  };
  readonly dataIdMap: { get(dataId: object): { memoryOffset: number } };
  makeOutput(
    shape: number[],
    dtype: tf.DataType,
    memoryOffset?: number,
    values?: tf.backend_util.BackendValues,
  ): tf.TensorInfo;
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array | Int32Array | Uint8Array;
}

/** Tensors in the memory of the wasm backend. A view of them is good until the next output is made, which may move the memory. */
export class Heap {
  constructor(
    readonly backend: WasmBackend,
    readonly multiplier: Multiplier,
    readonly lanes: LaneUnit<keyof typeof laneKernels>,
  ) {}

  /** A new tensor with undefined content. */
  output(shape: readonly number[], dtype: tf.DataType = 'float32'): tf.TensorInfo {
    return this.backend.makeOutput([...shape], dtype);
  }

  /** The numbers of a float32 tensor. */
  floats(tensor: tf.TensorInfo): Float32Array {
    return this.backend.typedArrayFromHeap(tensor) as Float32Array;
  }

  /** The numbers of a tensor of any numeric type. */
  values(tensor: tf.TensorInfo): Float32Array | Int32Array | Uint8Array {
    return this.backend.typedArrayFromHeap(tensor);
  }

  /** The first byte of a tensor. */
  address(tensor: tf.TensorInfo): number {
    return this.backend.dataIdMap.get(tensor.dataId).memoryOffset;
  }

  /** Gives a tensor made by `output` back. */
  dispose(tensor: tf.TensorInfo): void {
    this.backend.disposeData(tensor.dataId);
  }
}

/** A kernel of the wasm backend. */
export type WasmKernel = BridgedKernel;

/** Puts a kernel into tfjs's registry, in the place of the stock one if there is one. */
export function registerWasmKernel(kernelName: string, kernel: WasmKernel): void {
  const stock = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  if (stock !== undefined) tf.unregisterKernel(kernelName, 'wasm');
  tf.registerKernel({
    kernelName,
    backendName: 'wasm',
    kernelFunc: (args) => kernel(args as unknown as Parameters<WasmKernel>[0]),
    ...(stock?.setupFunc ? { setupFunc: stock.setupFunc } : {}),
    ...(stock?.disposeFunc ? { disposeFunc: stock.disposeFunc } : {}),
  });
}

/** The stock kernel of that name as it is now, to fall back to. */
export function stockKernel(heap: Heap, kernelName: string): WasmKernel {
  const stock = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
  if (stock === undefined) throw new Error(`the wasm backend has no kernel ${kernelName}`);
  return (args) => stock.kernelFunc({ ...args, backend: heap.backend } as never);
}
