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
  /** Takes the cpu backend's kernel where the stock one is wrong. */
  const exactWhere = (name: string, isWrong: (args: Parameters<WasmKernel>[0]) => boolean): void => {
    const [stock, exact] = [stockKernel(heap, name), cpuKernel(heap.backend, name)];
    registerWasmKernel(name, (args) => (isWrong(args) ? exact(args) : stock(args)));
  };
  // Read the bits of integers as floats.
  for (const name of ['ClipByValue', 'IsFinite', 'IsInf', 'IsNan'])
    exactWhere(name, ({ inputs }) => inputs['x']?.dtype !== 'float32');
  // Copies the bits of one type into a result of another.
  exactWhere('Select', ({ inputs }) => inputs['t']?.dtype !== inputs['e']?.dtype);
  // Know no centres of pixels, and no scale of an axis of one place.
  for (const name of ['ResizeBilinearGrad', 'ResizeNearestNeighborGrad'])
    exactWhere(name, ({ inputs, attrs }) => {
      const [, height, width] = inputs['images']!.shape;
      return attrs['halfPixelCenters'] === true || height === 1 || width === 1;
    });
  // Moves four bytes for one, over what lies behind, and has no way to move nothing.
  exactWhere('Reverse', ({ inputs, attrs }) => {
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
}
