import * as tf from '@tensorflow/tfjs-core';
import type { BridgedKernel } from '../bridge.js';
import { correctGradients } from './gradients.js';
import { windowsInSpace } from './space.js';

/** Counts an axis below zero from the last, which the kernel itself would look for among those from zero on. */
export const withAxisFromZero =
  (stock: BridgedKernel): BridgedKernel =>
  ({ inputs, attrs }) => {
    const [axis] = tf.util.parseAxisParam(attrs['axis'] as number, inputs['x']!.shape);
    return stock({ inputs, attrs: { ...attrs, axis } });
  };

/**
 * Slices of one place along some axes, which are left out of the result: the kernel itself leaves them out of the counting too, and takes
 * other places. Here it is given the axes as slices of size 1.
 */
export const withAxesOfOne =
  (stock: BridgedKernel): BridgedKernel =>
  ({ inputs, attrs }) => {
    const left = attrs as unknown as Slices;
    if (left.shrinkAxisMask === 0) return stock({ inputs, attrs });
    const { finalShape } = tf.slice_util.sliceInfo(
      inputs['x']!.shape,
      [...left.begin],
      [...left.end],
      [...left.strides],
      left.beginMask,
      left.endMask,
      left.ellipsisMask,
      left.newAxisMask,
      left.shrinkAxisMask,
    );
    const isOne = (axis: number): boolean => ((left.shrinkAxisMask & ~left.newAxisMask) >> axis) % 2 === 1;
    const toEnd = left.begin.reduce((mask, begin, axis) => (begin === -1 ? mask | (1 << axis) : mask), 0);
    const result = stock({
      inputs,
      attrs: {
        ...attrs,
        end: left.end.map((end, axis) => (isOne(axis) ? left.begin[axis]! + 1 : end)),
        strides: left.strides.map((stride, axis) => (isOne(axis) ? 1 : stride)),
        beginMask: left.beginMask & ~left.shrinkAxisMask,
        // From the last place on there is one.
        endMask: (left.endMask & ~left.shrinkAxisMask) | (toEnd & left.shrinkAxisMask),
        shrinkAxisMask: 0,
      },
    }) as tf.TensorInfo;
    return { ...result, shape: finalShape };
  };

interface Slices {
  readonly begin: readonly number[];
  readonly end: readonly number[];
  readonly strides: readonly number[];
  readonly beginMask: number;
  readonly endMask: number;
  readonly ellipsisMask: number;
  readonly newAxisMask: number;
  readonly shrinkAxisMask: number;
}

export const withWindowsInSpace =
  (stock: BridgedKernel): BridgedKernel =>
  ({ inputs, attrs }) =>
    stock({ inputs, attrs: windowsInSpace(inputs, attrs) });

/** Puts right kernels into tfjs's registry, in the place of those of tfjs-backend-cpu 4.22 that give wrong numbers. */
export function correctCpuKernels(): void {
  correctGradients();
  for (const [kernelName, correct] of [
    ['Cumprod', withAxisFromZero],
    ['Cumsum', withAxisFromZero],
    ['StridedSlice', withAxesOfOne],
    ['AvgPool3D', withWindowsInSpace],
    ['AvgPool3DGrad', withWindowsInSpace],
    ['Conv3D', withWindowsInSpace],
    ['Conv3DBackpropFilterV2', withWindowsInSpace],
    ['Conv3DBackpropInputV2', withWindowsInSpace],
    ['MaxPool3D', withWindowsInSpace],
    ['MaxPool3DGrad', withWindowsInSpace],
  ] as const) {
    const stock = tf.getKernel(kernelName, 'cpu');
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel({
      ...stock,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const kernel = correct((args) => stock.kernelFunc({ ...args, backend } as never));
        return kernel({ inputs: inputs as Record<string, tf.TensorInfo>, attrs: attrs ?? {} });
      },
    });
  }
}
