import * as tf from '@tensorflow/tfjs-core';
import { drawOnHost, type KeyedDrawAttributes } from '@hypetune/ops';

/** One draw of a run. */
export interface Draw {
  /** Updates made before it; -1 while the weights are loaded. */
  readonly step: number;
  /** The weight that was being read, where one was. */
  readonly weight: string | undefined;
  readonly kind: 'dropout' | KeyedDrawAttributes['distribution'];
  readonly shape: readonly number[];
  readonly values: Float32Array;
}

/** What draws are noted with; whoever runs the model keeps it up to date. */
export interface DrawPlace {
  step: number;
  weight: string | undefined;
}

/** Runs `f` on the cpu backend and notes every draw in it, in order: a kernel that draws as all do, and writes down. */
export async function recordingDraws<T>(place: DrawPlace, f: () => Promise<T>): Promise<[T, Draw[]]> {
  const draws: Draw[] = [];
  const kernel = { kernelName: 'KeyedDraw', backendName: 'cpu' } as const;
  tf.registerKernel({
    ...kernel,
    kernelFunc: ({ inputs, attrs, backend }) => {
      const { distribution, shape } = attrs as unknown as KeyedDrawAttributes;
      const host = backend as unknown as HostBackend;
      const packed = host.readSync(inputs['parameters']!.dataId);
      const [key0, key1, offset, width] = packed;
      const scale = new Float32Array(packed.buffer, packed.byteOffset, 5)[4]!;
      const values = drawOnHost(distribution, shape, [key0! >>> 0, key1! >>> 0], {
        offset: offset!,
        width: width!,
        scale,
      });
      // Dropout alone scales what it keeps.
      const kind = distribution === 'bernoulli' && scale !== 1 ? 'dropout' : distribution;
      draws.push({ ...place, kind, shape: [...shape], values: values.slice() });
      return host.makeTensorInfo([...shape], 'float32', values);
    },
  });
  try {
    return [await f(), draws];
  } finally {
    tf.unregisterKernel(kernel.kernelName, kernel.backendName);
  }
}

/** What the cpu backend offers its kernels. */
interface HostBackend {
  readSync(dataId: object): Int32Array;
  makeTensorInfo(shape: number[], dtype: 'float32', values: Float32Array): tf.TensorInfo;
}
