import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import {
  IGNORED,
  type Label,
  multiLabel,
  regression,
  singleLabel,
  type Task,
  tensorData,
  type Dataset,
  tokenClassification,
} from '@hypetune/core';
import { foldIn, randomUniform, seedKey } from '@hypetune/ops';

const vocabulary = 20;
const tokens = 5;
const outputs = 3;
const rows = 8;

/** A task, and the label of a row of it. */
export interface TaskCase {
  readonly task: Task;
  readonly label: (row: number) => Label;
  /** Whether the model has an output a token. */
  readonly perToken?: true;
}

const some = (row: number, size: number): number[] =>
  Array.from({ length: size }, (_, place) => (row * 7 + place * 5) % 3);

/** Every shipped task, with labels that differ from row to row. */
export const taskCases: Readonly<Record<string, TaskCase>> = {
  classification: {
    task: singleLabel({ classWeights: 'balanced', labelSmoothing: 0.1 }),
    label: (row) => (row * 7) % 3,
  },
  regression: { task: regression({ targets: outputs }), label: (row) => some(row, outputs) },
  'multi-label': {
    task: multiLabel(),
    label: (row) => some(row, outputs).map((draw) => (draw > 0 ? 1 : 0)),
  },
  'token-classification': {
    task: tokenClassification({ labels: ['O', 'B-A', 'I-A'] }),
    label: (row) => [IGNORED, ...some(row, 1 + (row % 3))],
    perToken: true,
  },
};

/** A model over a token table that suits the case, and rows for it. */
export function buildTask({ label, perToken }: TaskCase): {
  model: LayersModel;
  data: Dataset;
  dispose: () => void;
} {
  const initial = (seed: number): ReturnType<typeof initializers.randomUniform> =>
    initializers.randomUniform({ minval: -0.5, maxval: 0.5, seed });
  const model = sequential({
    layers: [
      layers.embedding({
        inputDim: vocabulary,
        outputDim: 4,
        inputLength: tokens,
        embeddingsInitializer: initial(1),
      }),
      ...(perToken ? [] : [layers.flatten()]),
      layers.dense({ units: 8, activation: 'tanh', kernelInitializer: initial(2) }),
      layers.dropout({ rate: 0.1 }),
      layers.dense({ units: 8, activation: 'tanh', kernelInitializer: initial(3) }),
      layers.dense({ units: outputs, kernelInitializer: initial(4) }),
    ],
  });
  const ids = tf.tidy(() =>
    tf.cast(randomUniform([rows, tokens], foldIn(seedKey(7), 'tasks'), 0, vocabulary), 'int32'),
  );
  const data = tensorData(
    ids,
    Array.from({ length: rows }, (_, row) => label(row)),
  );
  return {
    model,
    data,
    dispose: () => {
      ids.dispose();
      model.dispose();
    },
  };
}
