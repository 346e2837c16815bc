import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { type NamedWeight, loadModel, namedWeights } from '@hypetune/models';
import { parseSafetensors } from '@hypetune/safetensors';

const ROOT = fileURLToPath(new URL('../../packages/models/fixtures', import.meta.url));

/** Folders of the models that PyTorch's `transformers` computed logits, loss and gradients of, by name. */
export const FIXTURES: ReadonlyMap<string, string> = new Map([
  ...['bert', 'electra', 'roberta'].map((name): [string, string] => [name, `${ROOT}/${name}`]),
  ...readdirSync(`${ROOT}/families`).map((name): [string, string] => [name, `${ROOT}/families/${name}`]),
]);

const BERT = ['hidden_dropout_prob', 'attention_probs_dropout_prob'];
/** Every rate of dropout in a configuration, by its `model_type`. */
const DROPOUTS: Readonly<Record<string, readonly string[]>> = {
  bert: BERT,
  electra: BERT,
  roberta: BERT,
  'xlm-roberta': BERT,
  camembert: BERT,
  distilbert: ['dropout', 'attention_dropout', 'seq_classif_dropout'],
  mpnet: BERT,
  albert: [...BERT, 'classifier_dropout_prob'],
  modernbert: ['embedding_dropout', 'attention_dropout', 'mlp_dropout', 'classifier_dropout'],
  eurobert: ['attention_dropout'],
  deberta: [...BERT, 'pooler_dropout'],
  'deberta-v2': [...BERT, 'pooler_dropout'],
  xlnet: ['dropout', 'summary_last_dropout'],
};

/** Settings that turn on every dropout of a fixture's model, at 0.1; the fixtures have none. */
export function dropoutsOf(folder: string): Readonly<Record<string, number>> {
  const { model_type } = JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as { model_type: string };
  return Object.fromEntries(DROPOUTS[model_type]!.map((rate) => [rate, 0.1]));
}

/** A fixture's rows and what `transformers` computed of them. */
export interface Expected {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly tokenTypeIds: number[][];
  readonly labels: number[];
  readonly logits: number[][];
  readonly loss: number;
}

/** What stands in a fixture's expected.json. */
export function expectedOf(folder: string): Expected {
  return JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;
}

/** The inputs of a model from a fixture's rows. */
export function inputsOf({ inputIds, attentionMask, tokenTypeIds }: Expected): tf.Tensor[] {
  return [inputIds, attentionMask, tokenTypeIds].map((rows) => tf.tensor2d(rows, undefined, 'int32'));
}

/** Largest differences to `transformers`, relative to the largest number of the same tensor. */
export interface Differences {
  readonly logits: number;
  readonly loss: number;
  /**
   * The largest of all gradients', and whose it is. A gradient that only rounding keeps from zero (a key's bias,
   * which moves every score of a softmax alike) counts by a hundredth of the largest gradient.
   */
  readonly gradients: number;
  readonly gradient: string;
}

/** Share of the largest gradient below which a gradient is rounding alone. */
const ROUNDING = 1e-6;

/** Runs a step as it is, or as one compiled function. */
export type RunStep = <T>(step: () => T) => T;

/** Loads a fixture and compares logits, loss and every gradient on the current engine. Throws where weights differ in name. */
export async function differencesOf(
  folder: string,
  runStep: RunStep = (step) => step(),
): Promise<Differences> {
  const expected = expectedOf(folder);
  const { model, initialized, unused } = await loadModel(folder);
  const gradients = parseSafetensors(readFileSync(`${folder}/gradients.safetensors`), folder);
  const weights = namedWeights(model);
  const trained = weights.filter(({ variable }) => variable.trainable);
  const names = trained.map(({ name }) => name);
  const surplus = [...initialized, ...unused, ...names.filter((name) => !gradients.has(name))];
  if (surplus.length > 0 || names.length !== gradients.size)
    throw new Error(`${folder}: weights of one side alone: ${surplus.join(', ')}`);
  try {
    return tf.tidy(() => {
      const { logits, loss, grads } = runStep(() => run(model, trained, expected));
      const wanted = (name: string): Float32Array => gradients.get(name)!.data as Float32Array;
      const largest = Math.max(...names.map((name) => size(wanted(name))));
      const scale = (name: string): number =>
        size(wanted(name)) < ROUNDING * largest ? largest / 100 : size(wanted(name));
      let worst = { gradients: 0, gradient: '' };
      for (const { name, kind, variable } of trained) {
        const gradient = grads[variableOf(variable).name]!;
        const values = (kind === 'linear' ? tf.transpose(gradient) : gradient).dataSync();
        const difference = apart(values, wanted(name)) / scale(name);
        if (difference <= worst.gradients || Number.isNaN(worst.gradients)) continue;
        worst = { gradients: difference, gradient: name };
      }
      const flat = expected.logits.flat();
      return {
        logits: apart(logits.dataSync(), flat) / size(flat),
        loss: Math.abs(loss.dataSync()[0]! - expected.loss) / Math.abs(expected.loss),
        ...worst,
      };
    });
  } finally {
    model.dispose();
  }
}

function run(
  model: LayersModel,
  weights: readonly NamedWeight[],
  expected: Expected,
): { logits: tf.Tensor; loss: tf.Scalar; grads: tf.NamedTensorMap } {
  const inputs = inputsOf(expected);
  const logits = model.apply(inputs) as tf.Tensor2D;
  const { value, grads } = tf.variableGrads(
    () => {
      const output = model.apply(inputs) as tf.Tensor2D;
      const classes = output.shape[1];
      if (classes === 1)
        return tf.losses.meanSquaredError<tf.Tensor, tf.Scalar>(
          tf.tensor2d(expected.labels, output.shape),
          output,
        );
      return tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(tf.oneHot(expected.labels, classes), output);
    },
    weights.map(({ variable }) => variableOf(variable)),
  );
  return { logits, loss: value, grads };
}

/** The variable that a weight reads as: what `variableGrads` differentiates by. */
function variableOf(weight: NamedWeight['variable']): tf.Variable {
  const value: unknown = weight.read();
  return value as tf.Variable;
}

const size = (values: ArrayLike<number>): number =>
  Array.from(values).reduce((most, value) => Math.max(most, Math.abs(value)), 0);

/** The largest difference; NaN where one is. */
export function apart(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) throw new Error(`${got.length} numbers for ${wanted.length}`);
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const difference = Math.abs(got[i]! - wanted[i]!);
    most = Math.max(most, difference);
  }
  return most;
}
