import * as tf from '@tensorflow/tfjs-core';
import { cpuKernel } from '../bridge.js';
import type { Pooling } from '../cpu/gradients.js';
import { withAxesOfOne, withAxisFromZero, withWindowsInSpace } from '../cpu/corrections.js';
import { registerWasmKernel, stockKernel } from './heap.js';
import type { Heap, WasmKernel } from './heap.js';

/** Stock kernels of tfjs-backend-wasm 4.22 that give wrong numbers, as the conformance run found: these take their place. */
export function registerCorrections(heap: Heap): void {
  // The gradients of overlapping windows, of means over windows that reach out of the image, and windows that are all negative; what is reflected.
  for (const name of [
    'AvgPoolGrad',
    'AvgPool3DGrad',
    'MaxPool3D',
    'MaxPool3DGrad',
    'MaxPoolGrad',
    'MaxPoolWithArgmax',
    'Conv3DBackpropFilterV2',
    'Conv3DBackpropInputV2',
    'Dilation2D',
    'Dilation2DBackpropInput',
    'Dilation2DBackpropFilter',
    'Transform',
  ])
    registerWasmKernel(name, cpuKernel(heap.backend, name));
  // Writes 32-bit integers whatever dtype is asked for.
  registerWasmKernel('OneHot', cpuKernel(heap.backend, 'OneHot'));
  // Truncates to a byte instead of comparing with zero.
  const stockCast = stockKernel(heap, 'Cast');
  registerWasmKernel('Cast', (args) => {
    const x = args.inputs['x'] as tf.TensorInfo;
    if (args.attrs['dtype'] !== 'bool' || x.dtype === 'bool') return stockCast(args);
    const output = heap.output(x.shape, 'bool');
    const [values, target] = [heap.values(x), heap.values(output)];
    for (let i = 0; i < target.length; i++) target[i] = Number(values[i] !== 0);
    return output;
  });
  // Read the bits of integers as floats.
  for (const name of ['ClipByValue', 'IsFinite', 'IsInf', 'IsNan'])
    exactWhere(heap, name, ({ inputs }) => inputs['x']?.dtype !== 'float32');
  correctConvolutions(heap);
  // Write over the memory where an image is smaller than the window.
  for (const name of ['AvgPool', 'MaxPool'])
    exactWhere(heap, name, ({ inputs, attrs }) => {
      const { filterSize, strides, pad, dimRoundingMode } = attrs as unknown as Pooling;
      const image = inputs['x']!.shape as [number, number, number, number];
      return isEmpty(
        tf.backend_util.computePool2DInfo(image, filterSize, strides, 1, pad, dimRoundingMode).outShape,
      );
    });
  // Copies the bits of one type into a result of another, and four bytes for one, over what lies behind.
  exactWhere(heap, 'Select', ({ inputs: { t, e } }) => t?.dtype !== e?.dtype || t?.dtype === 'bool');
  // Looks every row up by the indices of the first, and has another shape for nothing.
  exactWhere(
    heap,
    'GatherV2',
    ({ inputs, attrs }) => (attrs['batchDims'] ?? 0) !== 0 || isEmpty(inputs['x']!.shape),
  );
  // Know no centres of pixels, and no scale of an axis of one place.
  for (const name of ['ResizeBilinearGrad', 'ResizeNearestNeighborGrad'])
    exactWhere(heap, name, ({ inputs, attrs }) => {
      const [, height, width] = inputs['images']!.shape;
      return attrs['halfPixelCenters'] === true || height === 1 || width === 1;
    });
  // Moves four bytes for one, over what lies behind, and has no way to move nothing.
  exactWhere(heap, 'Reverse', ({ inputs, attrs }) => {
    const { dtype, shape } = inputs['x']!;
    return dtype === 'bool' || tf.util.parseAxisParam(attrs['dims'] as number | number[], shape).length === 0;
  });
  for (const name of ['Cumprod', 'Cumsum'])
    registerWasmKernel(name, withAxisFromZero(stockKernel(heap, name)));
  for (const name of ['AvgPool3D', 'Conv3D'])
    registerWasmKernel(name, withWindowsInSpace(stockKernel(heap, name)));
  registerWasmKernel('StridedSlice', withAxesOfOne(stockKernel(heap, 'StridedSlice')));
  // Takes small numbers for zero.
  const stockSign = stockKernel(heap, 'Sign');
  registerWasmKernel('Sign', (args) => {
    const x = args.inputs['x'] as tf.TensorInfo;
    if (x.dtype !== 'float32') return stockSign(args);
    const output = heap.output(x.shape);
    const [values, target] = [heap.floats(x), heap.floats(output)];
    for (let i = 0; i < target.length; i++) target[i] = Math.sign(values[i]!);
    return output;
  });
  keepNotANumber(heap);
}

/**
 * Convolutions, told their padding: where windows do not reach the end of an image, their own reckoning of `same` goes below zero. Of
 * images smaller than a window nothing is asked: they would write over the memory.
 */
function correctConvolutions(heap: Heap): void {
  for (const name of ['Conv2D', 'FusedConv2D', 'DepthwiseConv2dNative', 'FusedDepthwiseConv2D']) {
    const [stock, exact] = [stockKernel(heap, name), cpuKernel(heap.backend, name)];
    registerWasmKernel(name, (args) => {
      const { inputs, attrs } = args;
      const { outShape, padInfo } = tf.backend_util.computeConv2DInfo(
        inputs['x']!.shape as [number, number, number, number],
        inputs['filter']!.shape as [number, number, number, number],
        attrs['strides'] as number | [number, number],
        (attrs['dilations'] as number | [number, number] | null | undefined) ?? 1,
        attrs['pad'] as 'same' | 'valid' | number,
        attrs['dimRoundingMode'] as 'floor' | undefined,
        name.includes('Depthwise'),
      );
      if (isEmpty(outShape)) return exact(args);
      if (attrs['pad'] !== 'same') return stock(args);
      const pad = [
        [0, 0],
        [padInfo.top, padInfo.bottom],
        [padInfo.left, padInfo.right],
        [0, 0],
      ];
      return stock({ inputs, attrs: { ...attrs, pad } });
    });
  }
}

const isEmpty = (shape: readonly number[]): boolean => shape.some((size) => size <= 0);

/** Takes the cpu backend's kernel where the stock one is wrong. */
function exactWhere(heap: Heap, name: string, isWrong: (args: Parameters<WasmKernel>[0]) => boolean): void {
  const [stock, exact] = [stockKernel(heap, name), cpuKernel(heap.backend, name)];
  registerWasmKernel(name, (args) => (isWrong(args) ? exact(args) : stock(args)));
}

/** Kernels that make a number of NaN, so that a loss that is none would go unnoticed. */
function keepNotANumber(heap: Heap): void {
  const isEndless = (tensor: tf.TensorInfo | undefined): boolean => {
    if (tensor?.dtype !== 'float32') return false;
    const values = heap.floats(tensor);
    // Of NaN and infinity alone the difference is no number.
    for (let i = 0; i < values.length; i++) if (values[i]! - values[i]! !== 0) return true;
    return false;
  };
  for (const name of [
    'AvgPool',
    'Conv2D',
    'DepthwiseConv2dNative',
    'FusedConv2D',
    'FusedDepthwiseConv2D',
    'Maximum',
    'MaxPool',
    'Minimum',
  ])
    exactWhere(heap, name, ({ inputs }) => Object.values(inputs).some(isEndless));
  const clip = (name: string, limits: (attributes: Record<string, unknown>) => number[]): void => {
    const stock = stockKernel(heap, name);
    registerWasmKernel(name, (args) => {
      const x = args.inputs['x']!;
      if (x.dtype !== 'float32') return stock(args);
      const output = heap.output(x.shape);
      const [from, to] = [[heap.address(x)], [heap.address(output)]];
      heap.lanes.run('clip', tf.util.sizeFromShape(x.shape), from, to, limits(args.attrs));
      return output;
    });
  };
  clip('ClipByValue', (attributes) => [
    attributes['clipValueMin'] as number,
    attributes['clipValueMax'] as number,
  ]);
  clip('Relu6', () => [0, 6]);
}
