import * as tf from '@tensorflow/tfjs-core';
import '@tensorflow/tfjs-backend-cpu';

/** What every backend of tfjs has, though its base class does not declare it so. */
export interface WritingBackend extends tf.KernelBackend {
  write(values: tf.backend_util.BackendValues, shape: number[], dtype: tf.DataType): object;
}

export interface CpuBackend extends WritingBackend {
  /** Whether it will print an advertisement for tfjs-node. */
  firstUse: boolean;
}

type Attributes = Readonly<Record<string, unknown>>;

/** Of each place of a result along one axis: the places of the image that it is made of, each with its share. */
type Sources = readonly (readonly (readonly [place: number, share: number])[])[];

/** Of a window at each place the part inside of the image, in equal shares. */
function windows(size: number, places: number, window: number, stride: number, before: number): Sources {
  return Array.from({ length: places }, (_, place) => {
    const start = place * stride - before;
    const first = Math.max(start, 0);
    const inside = Math.max(Math.min(start + window, size) - first, 0);
    return Array.from({ length: inside }, (_, i) => [first + i, 1 / inside] as const);
  });
}

function windowsOfPlane(image: readonly number[], attributes: Attributes): Sources[] {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as Pooling;
  const shape = image as [number, number, number, number];
  const w = tf.backend_util.computePool2DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return [
    windows(w.inHeight, w.outHeight, w.filterHeight, w.strideHeight, w.padInfo.top),
    windows(w.inWidth, w.outWidth, w.filterWidth, w.strideWidth, w.padInfo.left),
  ];
}

function windowsOfSpace(image: readonly number[], attributes: Attributes): Sources[] {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as Pooling;
  const shape = image as [number, number, number, number, number];
  const w = tf.backend_util.computePool3DInfo(shape, filterSize, strides, 1, pad, dimRoundingMode);
  return [
    windows(w.inDepth, w.outDepth, w.filterDepth, w.strideDepth, w.padInfo.front),
    windows(w.inHeight, w.outHeight, w.filterHeight, w.strideHeight, w.padInfo.top),
    windows(w.inWidth, w.outWidth, w.filterWidth, w.strideWidth, w.padInfo.left),
  ];
}

/** The attributes of an operation on windows of an image. */
export interface Pooling {
  readonly filterSize: number;
  readonly strides: number;
  readonly pad: 'valid' | 'same' | number;
  readonly dimRoundingMode?: 'floor' | 'round' | 'ceil';
}

/** Where on an axis of `size` places each of `places` new ones begins. */
function positions(size: number, places: number, attributes: Attributes): number[] {
  const ends = attributes['alignCorners'] === true && places > 1 ? 1 : 0;
  const scale = (size - ends) / (places - ends);
  const center = attributes['halfPixelCenters'] === true ? 0.5 : 0;
  return Array.from({ length: places }, (_, place) => scale * (place + center));
}

const nearest = (size: number, places: number, attributes: Attributes): Sources => {
  const round = attributes['alignCorners'] === true ? Math.round : Math.floor;
  return positions(size, places, attributes).map((position) => [[Math.min(round(position), size - 1), 1]]);
};

const linear = (size: number, places: number, attributes: Attributes): Sources => {
  const center = attributes['halfPixelCenters'] === true ? 0.5 : 0;
  return positions(size, places, attributes).map((start) => {
    const position = Math.min(Math.max(start - center, 0), size - 1);
    const before = Math.floor(position);
    const share = position - before;
    return share === 0
      ? [[before, 1]]
      : [
          [before, 1 - share],
          [before + 1, share],
        ];
  });
};

/** The sources of both axes of images [batch, height, width, channels]. */
const ofPlane =
  (sources: typeof nearest) =>
  (image: readonly number[], attributes: Attributes, result: readonly number[]): Sources[] =>
    [1, 2].map((axis) => sources(image[axis]!, result[axis]!, attributes));

/** The gradient of a result -> that of the image [batch, ...places, channels], each place of which gets its share of what was made of it. */
function gradientOfImage(
  gradient: ArrayLike<number>,
  image: readonly number[],
  axes: readonly Sources[],
): Float32Array {
  const channels = image.at(-1)!;
  let values = gradient;
  // The last axis first, so that the sizes behind an axis are the image's.
  for (let axis = axes.length; axis > 0; axis--) {
    const [sources, size] = [axes[axis - 1]!, image[axis]!];
    const inner = tf.util.sizeFromShape(image.slice(axis + 1, -1)) * channels;
    const outer = image[0]! * tf.util.sizeFromShape(axes.slice(0, axis - 1).map((before) => before.length));
    const spread = new Float64Array(outer * size * inner);
    for (let i = 0, from = 0; i < outer; i++)
      for (const parts of sources) {
        for (const [place, share] of parts) {
          const to = (i * size + place) * inner;
          for (let j = 0; j < inner; j++) spread[to + j] = spread[to + j]! + share * values[from + j]!;
        }
        from += inner;
      }
    values = spread;
  }
  return Float32Array.from(values);
}

/**
 * Kernels of tfjs-backend-cpu 4.22 that give wrong numbers: means share their gradient with places outside of the image too; those of
 * resizing take every image for square, batches for one, and know no centres of pixels.
 */
const gradients: Readonly<
  Record<
    string,
    {
      readonly image: string;
      readonly axes: (image: number[], attributes: Attributes, result: number[]) => Sources[];
    }
  >
> = {
  AvgPoolGrad: { image: 'input', axes: windowsOfPlane },
  AvgPool3DGrad: { image: 'input', axes: windowsOfSpace },
  ResizeBilinearGrad: { image: 'images', axes: ofPlane(linear) },
  ResizeNearestNeighborGrad: { image: 'images', axes: ofPlane(nearest) },
};

/** Puts right gradients into tfjs's registry, in the place of the cpu backend's. */
export function correctGradients(): void {
  for (const [kernelName, { image, axes }] of Object.entries(gradients)) {
    tf.unregisterKernel(kernelName, 'cpu');
    tf.registerKernel({
      kernelName,
      backendName: 'cpu',
      kernelFunc: ({ inputs, attrs, backend }) => {
        const cpu = backend as unknown as WritingBackend;
        const { dy, [image]: x } = inputs as Record<string, tf.TensorInfo>;
        const values = cpu.readSync(dy!.dataId) as Float32Array;
        const result = gradientOfImage(values, x!.shape, axes(x!.shape, attrs ?? {}, dy!.shape));
        return { dataId: cpu.write(result, x!.shape, 'float32'), shape: x!.shape, dtype: 'float32' };
      },
    });
  }
}
