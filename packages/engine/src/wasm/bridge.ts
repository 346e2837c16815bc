import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';
import { registerWasmKernel } from './heap.js';
import type { Heap, KernelArguments, WasmKernel } from './heap.js';

/** The parts of the cpu backend used here. */
interface CpuBackend extends tf.KernelBackend {
  /** Whether it will print an advertisement for tfjs-node. */
  firstUse: boolean;
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
}

/** The cpu backend's kernel of a name, on copies of tensors of the wasm backend. */
export function cpuKernel(heap: Heap, kernelName: string): WasmKernel {
  return ({ inputs, attrs }: KernelArguments) => {
    const cpu = tf.findBackend('cpu') as CpuBackend;
    cpu.firstUse = false;
    const copies: object[] = [];
    const copy = (tensor: tf.TensorInfo): tf.TensorInfo => {
      const values = heap.backend.readSync(tensor.dataId) as tf.backend_util.BackendValues;
      const dataId = cpu.write(values, tensor.shape, tensor.dtype);
      copies.push(dataId);
      return { dataId, shape: tensor.shape, dtype: tensor.dtype };
    };
    const given = Object.entries(inputs).map(([name, tensor]) => [name, copy(tensor)] as const);
    const copied = Array.isArray(inputs) ? given.map(([, tensor]) => tensor) : Object.fromEntries(given);
    const { kernelFunc } = tf.getKernel(kernelName, 'cpu');
    const result = kernelFunc({
      inputs: copied as tf.NamedTensorInfoMap,
      attrs: attrs as never,
      backend: cpu,
    });
    const outputs = (Array.isArray(result) ? result : [result]).map(({ dataId, shape, dtype }) => {
      const values = cpu.readSync(dataId) as tf.backend_util.BackendValues;
      const output = heap.backend.makeOutput(shape, dtype, undefined, values);
      cpu.disposeData(dataId);
      return output;
    });
    for (const dataId of copies) cpu.disposeData(dataId);
    return Array.isArray(result) ? outputs : outputs[0]!;
  };
}

/** Kernels about complex numbers: the wasm backend cannot hold these. */
const complex = new Set(['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real', 'Draw']);

/** Registers the cpu backend's kernel wherever the wasm backend has none. */
export function registerMissingKernels(heap: Heap): void {
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    const known = tf.getKernel(kernelName, 'wasm') as tf.KernelConfig | undefined;
    if (known === undefined && !complex.has(kernelName))
      registerWasmKernel(heap, kernelName, cpuKernel(heap, kernelName));
  }
}
