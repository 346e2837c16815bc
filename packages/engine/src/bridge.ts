import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** What every backend of tfjs has, though its base class does not declare it so. */
interface WritingBackend extends tf.KernelBackend {
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
}

interface CpuBackend extends WritingBackend {
  /** Whether it will print an advertisement for tfjs-node. */
  firstUse: boolean;
}

/** A kernel as its caller sees it. */
export type BridgedKernel = (args: {
  inputs: Record<string, tf.TensorInfo>;
  attrs: Record<string, unknown>;
}) => tf.TensorInfo | tf.TensorInfo[];

/** The numbers of axes of a window, for the gradients of means over windows. */
const averages: Readonly<Record<string, number>> = { AvgPoolGrad: 2, AvgPool3DGrad: 3 };

/**
 * Of each window along one axis the part inside of the image. The cpu backend's mean is over that part, yet its gradient shares with the
 * places outside too.
 */
function partsInside(size: number, places: number, window: number, stride: number, before: number): number[] {
  return Array.from({ length: places }, (_, place) => {
    const start = place * stride - before;
    return (Math.min(start + window, size) - Math.max(start, 0)) / window;
  });
}

/** The gradient of means over windows as the cpu backend has to be given it. */
function gradientInside(
  gradient: Float32Array,
  shape: readonly number[],
  axes: number,
  attributes: Record<string, unknown>,
): Float32Array {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as {
    filterSize: number;
    strides: number;
    pad: 'valid' | 'same' | number;
    dimRoundingMode?: 'floor' | 'round' | 'ceil';
  };
  let parts: number[][];
  let channels: number;
  if (axes === 2) {
    const image = shape as [number, number, number, number];
    const w = tf.backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode);
    const { top, left } = w.padInfo;
    channels = w.outChannels;
    parts = [
      partsInside(w.inHeight, w.outHeight, w.filterHeight, w.strideHeight, top),
      partsInside(w.inWidth, w.outWidth, w.filterWidth, w.strideWidth, left),
    ];
  } else {
    const image = shape as [number, number, number, number, number];
    const w = tf.backend_util.computePool3DInfo(image, filterSize, strides, 1, pad, dimRoundingMode);
    const { front, top, left } = w.padInfo;
    channels = w.outChannels;
    parts = [
      partsInside(w.inDepth, w.outDepth, w.filterDepth, w.strideDepth, front),
      partsInside(w.inHeight, w.outHeight, w.filterHeight, w.strideHeight, top),
      partsInside(w.inWidth, w.outWidth, w.filterWidth, w.strideWidth, left),
    ];
  }
  const inside = parts.reduce((outer, own) => outer.flatMap((part) => own.map((one) => part * one)), [1]);
  return gradient.map((value, i) => value / inside[Math.floor(i / channels) % inside.length]!);
}

/** The cpu backend's kernel of a name, on copies of tensors of another backend. */
export function cpuKernel(owner: tf.KernelBackend, kernelName: string): BridgedKernel {
  const backend = owner as WritingBackend;
  return ({ inputs, attrs }) => {
    const cpu = tf.findBackend('cpu') as CpuBackend;
    cpu.firstUse = false;
    const copies: object[] = [];
    const axes = averages[kernelName];
    const copy = (tensor: tf.TensorInfo, name: string): tf.TensorInfo => {
      let values = backend.readSync(tensor.dataId) as tf.backend_util.BackendValues;
      if (axes !== undefined && name === 'dy')
        values = gradientInside(values as Float32Array, inputs['input']!.shape, axes, attrs);
      const dataId = cpu.write(values, tensor.shape, tensor.dtype);
      copies.push(dataId);
      // Some kernels read the rank, which a TensorInfo need not have.
      return { dataId, shape: tensor.shape, dtype: tensor.dtype, rank: tensor.shape.length } as tf.TensorInfo;
    };
    // Optional inputs may be there without a tensor.
    const there = Object.entries(inputs as Record<string, tf.TensorInfo | undefined>);
    const given = there.flatMap(([name, tensor]) =>
      tensor === undefined ? [] : [[name, copy(tensor, name)] as const],
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
