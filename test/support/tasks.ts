import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
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
import { bertConfig, bertModel, withHead, withLabels } from '@hypetune/models';
import { foldIn, randomUniform, seedKey } from '@hypetune/ops';

const vocabulary = 20;
const tokens = 5;
const outputs = 3;
const rows = 8;

/** A task, and the label of a row of it. */
export interface TaskCase {
  readonly task: Task;
  readonly label: (row: number) => Label;
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
  },
};

/** A small BERT with the head that suits the case, and rows for it. */
export function buildTask({ task, label }: TaskCase): {
  model: LayersModel;
  data: Dataset;
  dispose: () => void;
} {
  const config = bertConfig({
    ...{ vocab_size: vocabulary, hidden_size: 8, num_hidden_layers: 2, num_attention_heads: 2 },
    ...{ intermediate_size: 16, max_position_embeddings: 16, initializer_range: 0.3 },
  });
  const head = task.kind === 'tokens' ? 'TokenClassification' : 'SequenceClassification';
  const model = bertModel(withHead(withLabels(config, outputs), head), { seed: 1 });
  const ids = tf.tidy(() =>
    tf.cast(randomUniform([rows, tokens], foldIn(seedKey(7), 'tasks'), 0, vocabulary), 'int32'),
  );
  const inputs = [ids, tf.onesLike(ids), tf.zerosLike(ids)];
  const data = tensorData(
    inputs,
    Array.from({ length: rows }, (_, row) => label(row)),
  );
  return {
    ...{ model, data },
    dispose: () => {
      tf.dispose(inputs);
      model.dispose();
    },
  };
}
