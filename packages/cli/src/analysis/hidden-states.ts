import { type Dataset, type Plugin, type Task, Trainer } from '@hypetune/core';
import type { Tokenizer } from '@hypetune/models';
import type { Tensor } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import type { TextData } from '../tasks/text-data.js';

/** What one layer made of one row. */
export interface RowState {
  /** 0 is what enters the first hidden layer, the embeddings; then what leaves each of them. */
  readonly layer: number;
  /** Place of the row in the data set. */
  readonly row: number;
  /** Width of a token's vector. */
  readonly width: number;
  /** The vectors of every position, one after the other, those of padding too. */
  readonly vectors: Float32Array;
  /** The positions of the row's own tokens; those that the tokenizer puts around texts stand apart. */
  readonly tokens: readonly number[];
  /** The positions that hold a token at all. */
  readonly all: readonly number[];
}

/** The tokens that a tokenizer puts around texts, as `[CLS]` and `[SEP]`. */
export function specialTokens(tokenizer: Tokenizer): ReadonlySet<number> {
  return new Set(tokenizer.encode(['', ['', '']]).flatMap(({ inputIds }) => inputIds));
}

/** Rows that are computed together. */
const BATCH = { evaluationBatchSize: 32, lengthMultiple: 1 };

/**
 * Runs a model over a data set, nothing random, and calls `visit` with each row's states, layer by layer; a layer that is used
 * several times counts each time. Returns how many layers there are, the embeddings counted.
 */
export async function eachState(
  model: LayersModel,
  task: Task,
  data: TextData,
  special: ReadonlySet<number>,
  visit: (state: RowState) => void,
): Promise<number> {
  let batch: { rows: readonly number[]; places: readonly Pick<RowState, 'tokens' | 'all'>[] };
  let [layer, layers] = [0, 0];
  const seen: Dataset = {
    ...data,
    inputs: (rows, length) => {
      const inputs = data.inputs(rows, length);
      const [ids, mask] = inputs.map((tensor) => tensor.dataSync<'int32'>());
      const width = inputs[0]!.shape[1]!;
      batch = {
        rows,
        places: rows.map((_, row) => {
          const all = range(width).filter((place) => mask![row * width + place] === 1);
          return { all, tokens: all.filter((place) => !special.has(ids![row * width + place]!)) };
        }),
      };
      layer = 0;
      return inputs;
    },
  };
  const record = (hidden: Tensor): Tensor => {
    const [, length, width] = hidden.shape as [number, number, number];
    const values = hidden.dataSync<'float32'>();
    for (const [place, row] of batch.rows.entries()) {
      const vectors = values.subarray(place * length * width, (place + 1) * length * width);
      visit({ layer, row, width, vectors, ...batch.places[place]! });
    }
    layer += 1;
    layers = Math.max(layers, layer);
    return hidden;
  };
  const observer: Plugin = {
    name: 'states',
    apply: ({ name, hooks }) => {
      hooks.beforeLayerForward.tap(name, (hidden, { index, visit: times }) =>
        index === 0 && times === 0 ? record(hidden) : hidden,
      );
      hooks.afterLayerForward.tap(name, record);
    },
  };
  await new Trainer({ model, task, plugins: [observer], compile: false, ...BATCH }).predict(seen);
  return layers;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, place) => place);
