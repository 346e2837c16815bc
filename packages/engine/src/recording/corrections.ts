import * as tf from '@tensorflow/tfjs-core';
import { windowsInSpace } from '../cpu/space.js';
import type { Attribute } from './attribute.js';
import { TF_ATTR_BOOL, TF_ATTR_TYPE, TF_FLOAT, TF_INT32 } from './data-types.js';

/** A kernel of one result; tfjs hands it tensors. */
type Kernel = (inputs: Record<string, tf.Tensor>, attributes: Record<string, unknown>) => tf.Tensor;

/** tfjs-node's backend, as its kernels use it. */
interface Operations {
  executeSingleOutput(name: string, attributes: Attribute[], inputs: tf.TensorInfo[]): tf.Tensor;
}

/** What takes the place of a kernel, given the kernel itself and the backend. */
type Correction = (stock: Kernel, backend: Operations) => Kernel;

/** Both sides of each axis. */
type Paddings = [number, number][];

/** From NCHW to NHWC, and back. */
const LAST = [0, 2, 3, 1];
const FIRST = [0, 3, 1, 2];

/**
 * A convolution, or a gradient of one, with its channels first: TensorFlow has them last on processors, and tfjs-node gives it the
 * strides in the wrong places. `images` are the inputs with channels; a gradient for a filter has none.
 */
const withChannelsLast =
  (images: readonly string[], isOfImage: boolean): Correction =>
  (stock) =>
  (inputs, attributes) => {
    if (attributes['dataFormat'] !== 'NCHW') return stock(inputs, attributes);
    return tf.tidy(() => {
      const turned = { ...inputs };
      for (const name of images) turned[name] = tf.transpose(inputs[name]!, LAST);
      const result = stock(turned, { ...attributes, ...channelsLast(attributes) });
      return isOfImage ? tf.transpose(result, FIRST) : result;
    });
  };

function channelsLast({ pad, inputShape }: Record<string, unknown>): Record<string, unknown> {
  const turn = (list: unknown): unknown =>
    Array.isArray(list) ? LAST.map((axis) => list[axis] as unknown) : list;
  const shape = inputShape === undefined ? {} : { inputShape: turn(inputShape) };
  return { dataFormat: 'NHWC', pad: turn(pad), ...shape };
}

/** The paddings that are given as numbers, of images [batch, height, width, channels]; undefined: tfjs-node knows what is asked for. */
function paddingsOf({ pad, dimRoundingMode }: Record<string, unknown>): Paddings | undefined {
  // TensorFlow rounds down.
  if (dimRoundingMode === 'ceil' || dimRoundingMode === 'round') return undefined;
  if (Array.isArray(pad)) return pad as Paddings;
  if (typeof pad !== 'number' || pad === 0) return undefined;
  return [
    [0, 0],
    [pad, pad],
    [pad, pad],
    [0, 0],
  ];
}

/**
 * An operation on windows with numbers of places around the image, which tfjs-node refuses: the image is padded with `fill`. Of a gradient
 * for the image that of the padding is left out.
 */
const withPadding =
  (image: string | undefined, { fill = 0, isForImage = false } = {}): Correction =>
  (stock) =>
  (inputs, attributes) => {
    const paddings = paddingsOf(attributes);
    if (paddings === undefined) return stock(inputs, attributes);
    return tf.tidy(() => {
      const shape = image === undefined ? (attributes['inputShape'] as number[]) : inputs[image]!.shape;
      const padded = image === undefined ? {} : { [image]: tf.pad(inputs[image]!, paddings, fill) };
      const inputShape = shape.map((size, axis) => paddings[axis]![0] + size + paddings[axis]![1]);
      const valid = { ...attributes, pad: 'valid', ...(image === undefined ? { inputShape } : {}) };
      const result = stock({ ...inputs, ...padded }, valid);
      if (!isForImage) return result;
      return tf.slice(
        result,
        paddings.map(([before]) => before),
        shape,
      );
    });
  };

/**
 * TensorFlow's gradient for a filter is wrong, for some sizes, where no window reaches the end of an image (2.21 with oneDNN, a filter of 1 x 1 and
 * strides of 2 on 1 to 4 channels): that end is cut off.
 */
const withoutEnd =
  (isDepthwise: boolean): Correction =>
  (stock) =>
  (inputs, attributes) => {
    const { pad } = attributes;
    if (pad !== 'same' && pad !== 'valid') return stock(inputs, attributes);
    const image = inputs['x'] as tf.Tensor4D;
    const windows = tf.backend_util.computeConv2DInfo(
      image.shape,
      attributes['filterShape'] as [number, number, number, number],
      attributes['strides'] as number | [number, number],
      (attributes['dilations'] as number | [number, number] | undefined) ?? 1,
      pad,
      undefined,
      isDepthwise,
    );
    const { inHeight, inWidth, padInfo } = windows;
    const height =
      (windows.outHeight - 1) * windows.strideHeight + windows.effectiveFilterHeight - padInfo.top;
    const width = (windows.outWidth - 1) * windows.strideWidth + windows.effectiveFilterWidth - padInfo.left;
    if (height >= inHeight && width >= inWidth) return stock(inputs, attributes);
    return tf.tidy(() => {
      const reached = [-1, Math.min(height, inHeight), Math.min(width, inWidth), -1];
      const paddings: Paddings = [
        [0, 0],
        [padInfo.top, Math.max(height - inHeight, 0)],
        [padInfo.left, Math.max(width - inWidth, 0)],
        [0, 0],
      ];
      const x = tf.pad(tf.slice(image, [0, 0, 0, 0], reached), paddings);
      return stock({ ...inputs, x }, { ...attributes, pad: 'valid' });
    });
  };

/** Of each window the part that lies inside of the image. */
function partInside(image: tf.Tensor, attributes: Record<string, unknown>): tf.Tensor {
  const [, height, width] = image.shape as [number, number, number];
  const inside = tf.pad(tf.ones([1, height, width, 1]), paddingsOf(attributes)!) as tf.Tensor4D;
  const [size, strides] = [attributes['filterSize'], attributes['strides']] as [number, number];
  return tf.avgPool(inside, size, strides, 'valid');
}

/** The mean of a window is that of what it holds of the image. */
const meanInside: Correction = (stock) => (inputs, attributes) => {
  if (paddingsOf(attributes) === undefined) return stock(inputs, attributes);
  return tf.tidy(() => tf.div(stock(inputs, attributes), partInside(inputs['x']!, attributes)));
};
const meanInsideGradient: Correction = (stock) => (inputs, attributes) => {
  if (paddingsOf(attributes) === undefined) return stock(inputs, attributes);
  return tf.tidy(() => {
    const dy = tf.div(inputs['dy']!, partInside(inputs['input']!, attributes));
    return stock({ ...inputs, dy }, attributes);
  });
};

/** TensorFlow moves the windows too. */
const inSpace: Correction = (stock) => (inputs, attributes) =>
  stock(inputs, windowsInSpace(inputs, attributes));

/** A gradient of resizing, which tfjs-node asks for without saying that places are counted from the pixels' centres. */
const withCenters =
  (operation: string, original: (images: tf.Tensor) => tf.Tensor): Correction =>
  (stock, backend) =>
  (inputs, attributes) => {
    if (attributes['halfPixelCenters'] !== true) return stock(inputs, attributes);
    return tf.tidy(() =>
      backend.executeSingleOutput(
        operation,
        [
          { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
          { name: 'half_pixel_centers', type: TF_ATTR_BOOL, value: true },
        ],
        [inputs['dy']!, original(inputs['images']!)],
      ),
    );
  };

/** The two whole numbers that stand for a seed: a fraction's first 31 bits and nothing, or the number itself. */
const seedOf = (seed: number): [number, number] =>
  Number.isInteger(seed) ? [seed, 1] : [Math.floor((seed - Math.floor(seed)) * 2 ** 31), 0];

/** Kernels of tfjs-node 4.22 that refuse what tfjs allows, or give wrong numbers: these take their place, the first around the others. */
const corrections: Readonly<Record<string, readonly Correction[]>> = {
  AvgPool: [meanInside, withPadding('x')],
  AvgPoolGrad: [meanInsideGradient, withPadding('input', { isForImage: true })],
  Conv2D: [withChannelsLast(['x'], true), withPadding('x')],
  Conv2DBackpropFilter: [withChannelsLast(['x', 'dy'], false), withPadding('x'), withoutEnd(false)],
  Conv2DBackpropInput: [withChannelsLast(['dy'], true), withPadding(undefined, { isForImage: true })],
  DepthwiseConv2dNative: [withPadding('x')],
  DepthwiseConv2dNativeBackpropFilter: [withPadding('x'), withoutEnd(true)],
  DepthwiseConv2dNativeBackpropInput: [withPadding(undefined, { isForImage: true })],
  FusedConv2D: [withPadding('x')],
  FusedDepthwiseConv2D: [withPadding('x')],
  MaxPool: [withPadding('x', { fill: -Infinity })],
  MaxPoolGrad: [withPadding('input', { fill: -Infinity, isForImage: true })],
  MaxPool3D: [inSpace],
  MaxPool3DGrad: [inSpace],
  ResizeBilinearGrad: [withCenters('ResizeBilinearGrad', (images) => images)],
  ResizeNearestNeighborGrad: [
    withCenters('ResizeNearestNeighborGrad', ({ shape }) => tf.tensor1d(shape.slice(1, 3), 'int32')),
  ],
  // Compares indices with the size of an axis that it looks up by a number below zero.
  GatherV2: [
    (stock) => (inputs, attributes) => {
      const [axis] = tf.util.parseAxisParam(attributes['axis'] as number, inputs['x']!.shape);
      return stock(inputs, { ...attributes, axis });
    },
  ],
  // Refuses probabilities, takes the fraction that tfjs draws where no seed is given for no seed, and goes on from its last draw with the seed of an earlier call.
  Multinomial: [
    (_, backend) => (inputs, attributes) =>
      tf.tidy(() => {
        const given = tf.cast(inputs['logits']!, 'float32');
        const logits = attributes['normalized'] === true ? tf.log(given) : given;
        return backend.executeSingleOutput(
          'StatelessMultinomial',
          [
            { name: 'T', type: TF_ATTR_TYPE, value: TF_FLOAT },
            { name: 'Tseed', type: TF_ATTR_TYPE, value: TF_INT32 },
            { name: 'output_dtype', type: TF_ATTR_TYPE, value: TF_INT32 },
          ],
          [
            logits,
            tf.scalar(attributes['numSamples'] as number, 'int32'),
            tf.tensor1d(seedOf(attributes['seed'] as number), 'int32'),
          ],
        );
      }),
  ],
  // TensorFlow 2.21 rounds integers to zero.
  Round: [
    (stock) => (inputs, attributes) =>
      inputs['x']!.dtype === 'int32' ? tf.clone(inputs['x']!) : stock(inputs, attributes),
  ],
  // Takes both for the wider of their types, which one of them may not have.
  Select: [
    (stock) => (inputs, attributes) => {
      const [yes, no] = [inputs['t']!, inputs['e']!];
      if (yes.dtype === no.dtype) return stock(inputs, attributes);
      const dtype = tf.upcastType(yes.dtype, no.dtype);
      return tf.tidy(() => stock({ ...inputs, t: tf.cast(yes, dtype), e: tf.cast(no, dtype) }, attributes));
    },
  ],
};

/** Puts the corrections into tfjs's registry, where tfjs-node has registered its kernels. */
export function correctKernels(): void {
  for (const [kernelName, list] of Object.entries(corrections)) {
    const { kernelFunc, ...rest } = tf.getKernel(kernelName, 'tensorflow');
    tf.unregisterKernel(kernelName, 'tensorflow');
    tf.registerKernel({
      ...rest,
      kernelFunc: ({ inputs, attrs, backend }) => {
        const stock: Kernel = (from, attributes) =>
          kernelFunc({ inputs: from, attrs: attributes as tf.NamedAttrMap, backend }) as tf.Tensor;
        const kernel = list.reduceRight((inner, correct) => correct(inner, backend as Operations), stock);
        return kernel(inputs as Record<string, tf.Tensor>, attrs ?? {});
      },
    });
  }
}
