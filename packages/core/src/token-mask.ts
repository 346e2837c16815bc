import * as tf from '@tensorflow/tfjs-core';
import type { Batch } from './batch.js';
import type { PluginHost } from './plugin.js';

/** Which of a model's inputs is its attention mask; -1 where it takes none. */
export function maskPlace({ inputNames }: Pick<PluginHost, 'inputNames'>): number {
  return inputNames.findIndex((name) => /^attention_?mask$/i.test(name));
}

/** 1 where a row has a token and 0 where it is padded, float32 `[rows, length]`; undefined for a model that takes no attention mask. */
export function tokenMask(
  host: Pick<PluginHost, 'inputNames'>,
  { inputs }: Pick<Batch, 'inputs'>,
): tf.Tensor2D | undefined {
  const mask = inputs[maskPlace(host)];
  return mask && tf.cast(mask as tf.Tensor2D, 'float32');
}
