import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type PendingTensor, streamSafetensors } from '@hypetune/safetensors';
import { configOf } from '../build-model.js';
import { withoutRemoteCode } from '../remote-code.js';
import { configText } from './config-text.js';
import { namedWeights, transpose } from './weight-names.js';

/** The files of a Hugging Face folder that a model makes itself; a tokenizer's come beside them. */
export interface ModelFiles {
  /** Piece by piece, one tensor in memory at a time. */
  readonly 'model.safetensors': AsyncIterable<Uint8Array>;
  readonly 'config.json': string;
}

/** What {@link ModelFiles} names, of the weights as they are when it is read. */
export function modelFiles(model: LayersModel): ModelFiles {
  const carried = configOf(model);
  // What is written is float32, whatever was read.
  const config = {
    ...withoutRemoteCode(carried),
    ...('torch_dtype' in carried && { torch_dtype: 'float32' }),
    dtype: 'float32',
  };
  const tensors = namedWeights(model).map(({ name, kind, storedShape, variable }) => {
    const read = async (): Promise<Float32Array> => {
      const values = (await variable.read().data()) as Float32Array;
      const rows = storedShape[0]!;
      return kind === 'linear' ? transpose(values, values.length / rows, rows) : values;
    };
    return [name, { dtype: 'F32', shape: storedShape, read }] as const satisfies [string, PendingTensor];
  });
  return {
    'model.safetensors': streamSafetensors(tensors, { format: 'pt' }),
    'config.json': configText(config),
  };
}
