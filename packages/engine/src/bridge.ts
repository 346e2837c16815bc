import * as tf from '@tensorflow/tfjs-core';
import { correctCpuKernels } from './cpu/corrections.js';
import type { CpuBackend, WritingBackend } from './cpu/gradients.js';

correctCpuKernels();

/** A kernel as its caller sees it. */
export type BridgedKernel = (args: {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, unknown>;
}) => tf.TensorInfo | tf.TensorInfo[];

/** The cpu backend's kernel of a name, on copies of tensors of another backend. */
export function cpuKernel(owner: tf.KernelBackend, kernelName: string): BridgedKernel {
  const backend = owner as WritingBackend;
  return ({ inputs, attrs }) => {
    const cpu = tf.findBackend('cpu') as CpuBackend;
    cpu.firstUse = false;
    const copies: object[] = [];
    const copy = (tensor: tf.TensorInfo): tf.TensorInfo => {
      const values = backend.readSync(tensor.dataId) as tf.backend_util.BackendValues;
      const dataId = cpu.write(values, tensor.shape, tensor.dtype);
      copies.push(dataId);
      // Some kernels read the rank, which a TensorInfo need not have.
      return { dataId, shape: tensor.shape, dtype: tensor.dtype, rank: tensor.shape.length } as tf.TensorInfo;
    };
    // Optional inputs may be there without a tensor.
    const there = Object.entries(inputs as Record<string, tf.TensorInfo | undefined>);
    const given = there.flatMap(([name, tensor]) =>
      tensor === undefined ? [] : [[name, copy(tensor)] as const],
    );
    const copied = Array.isArray(inputs) ? given.map(([, tensor]) => tensor) : Object.fromEntries(given);
    const { kernelFunc } = tf.getKernel(kernelName, 'cpu');
    const result = kernelFunc({
      inputs: copied as tf.NamedTensorInfoMap,
      attrs: attrs as tf.NamedAttrMap,
      backend: cpu,
    });
    const outputs = (Array.isArray(result) ? result : [result]).map(({ dataId, shape, dtype }) => {
      const values = cpu.readSync(dataId) as tf.backend_util.BackendValues;
      // A copy: what comes back may be an input, or be shared by several outputs.
      const output = { dataId: backend.write(values.slice(), shape, dtype), shape, dtype };
      cpu.disposeData(dataId);
      return output;
    });
    for (const dataId of copies) cpu.disposeData(dataId);
    return Array.isArray(result) ? outputs : outputs[0]!;
  };
}

/** Kernels about complex numbers, which need more than copies, and one that draws on a canvas. */
const bound = new Set(['Complex', 'ComplexAbs', 'FFT', 'IFFT', 'Imag', 'Real', 'Draw']);

/** Gives a backend the cpu backend's kernel wherever it has none of its own. */
export function registerMissingKernels(backendName: string, backend: tf.KernelBackend): void {
  for (const { kernelName } of tf.getKernelsForBackend('cpu')) {
    const known = tf.getKernel(kernelName, backendName) as tf.KernelConfig | undefined;
    if (known !== undefined || bound.has(kernelName)) continue;
    const kernel = cpuKernel(backend, kernelName);
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: (args) => kernel(args as unknown as Parameters<BridgedKernel>[0]),
    });
  }
}
