import * as tf from '@tensorflow/tfjs-core';
import { cpuKernel } from '../bridge.js';
import { registerWasmKernel, stockKernel } from './heap.js';
import type { Heap, WasmKernel } from './heap.js';

/** Stock kernels of tfjs-backend-wasm 4.22 that give wrong numbers, as the conformance run found: these take their place. */
export function registerCorrections(heap: Heap): void {
  // The gradients of overlapping windows, of means over windows that reach out of the image, and windows that are all negative.
  for (const name of [
    'AvgPoolGrad',
    'AvgPool3DGrad',
    'MaxPool3D',
    'MaxPool3DGrad',
    'MaxPoolGrad',
    'MaxPoolWithArgmax',
    'Conv3DBackpropInputV2',
    'Dilation2D',
    'Dilation2DBackpropInput',
    'Dilation2DBackpropFilter',
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
  // Copies the bits of one type into a result of another.
  exactWhere(heap, 'Select', ({ inputs }) => inputs['t']?.dtype !== inputs['e']?.dtype);
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
  // Look for an axis below zero among those from zero on.
  for (const name of ['Cumprod', 'Cumsum']) {
    const stock = stockKernel(heap, name);
    registerWasmKernel(name, ({ inputs, attrs }) => {
      const [axis] = tf.util.parseAxisParam(attrs['axis'] as number, inputs['x']!.shape);
      return stock({ inputs, attrs: { ...attrs, axis } });
    });
  }
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
