import { readFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { loadModel, namedWeights } from '@hypetune/models';
import { parseSafetensors } from '@hypetune/safetensors';

/** What `transformers` computed of a tiny classifier; the fixtures' scripts in packages/models write it. */
export interface Expected {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly tokenTypeIds: number[][];
  readonly labels: number[];
  readonly logits: number[] | number[][];
  readonly loss: number;
}

/** Largest differences from `transformers`, each relative to the largest element of the tensor it was found in. */
export interface Differences {
  readonly logits: number;
  readonly loss: number;
  readonly gradients: number;
  /** The weight whose gradient differs the most. */
  readonly weight: string;
}

/** Gradients whose largest element is below this are zero but for rounding (a key's bias, which a softmax cancels). */
const ZERO = 1e-5;

/** The recorded results of the model in `folder`. */
export function expectedOf(folder: string): Expected {
  return JSON.parse(readFileSync(`${folder}/expected.json`, 'utf8')) as Expected;
}

/** The model's inputs. */
export function inputsOf({ inputIds, attentionMask, tokenTypeIds }: Expected): tf.Tensor[] {
  return [inputIds, attentionMask, tokenTypeIds].map((rows) => tf.tensor2d(rows, undefined, 'int32'));
}

/**
 * Runs the model in `folder` forward and backward on the current backend. Throws where weights are missing or left over, and
 * where a weight has a gradient here and none there or the reverse.
 */
export async function differencesOf(folder: string): Promise<Differences> {
  const expected = expectedOf(folder);
  const { model, initialized, unused } = await loadModel(folder);
  if (initialized.length + unused.length > 0)
    throw new Error(`${folder}: initialized ${initialized.join()}, unused ${unused.join()}`);
  const stored = parseSafetensors(readFileSync(`${folder}/gradients.safetensors`), 'gradients.safetensors');
  const weights = namedWeights(model);
  const variables = weights.map(({ variable }) => variable.read() as unknown as tf.Variable);
  try {
    return tf.tidy(() => {
      let logits: tf.Tensor | undefined;
      const { value, grads } = tf.variableGrads(() => {
        logits = tf.keep(model.apply(inputsOf(expected)) as tf.Tensor);
        return lossOf(logits, expected.labels);
      }, variables);
      let worst = { weight: '', gradients: 0 };
      for (const [i, { name, kind, storedShape }] of weights.entries()) {
        const gradient = grads[variables[i]!.name] as tf.Tensor | undefined;
        const wanted = stored.get(name);
        if (!gradient !== !wanted) throw new Error(`${folder}: ${name} has a gradient on one side alone`);
        if (!gradient || !wanted) continue;
        const [rows] = gradient.shape as [number];
        const kernel = tf.reshape(gradient, [rows, -1]);
        const got = tf.reshape(kind === 'linear' ? tf.transpose(kernel) : gradient, [...storedShape]);
        const difference = relativeDifference(got.dataSync(), wanted.data as Float32Array);
        if (difference > worst.gradients) worst = { weight: name, gradients: difference };
      }
      return {
        ...worst,
        logits: relativeDifference(logits!.dataSync(), expected.logits.flat()),
        loss: relativeDifference(value.dataSync(), [expected.loss]),
      };
    });
  } finally {
    model.dispose();
  }
}

function lossOf(logits: tf.Tensor, labels: readonly number[]): tf.Scalar {
  if (logits.shape[1] === 1)
    return tf.mean(tf.squaredDifference(tf.reshape(logits, [-1]), tf.tensor1d([...labels])));
  return tf.losses.softmaxCrossEntropy<tf.Tensor, tf.Scalar>(
    tf.oneHot([...labels], logits.shape[1]!),
    logits,
  );
}

function relativeDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) throw new Error(`${got.length} numbers instead of ${wanted.length}`);
  let [difference, size] = [0, ZERO];
  for (let i = 0; i < got.length; i++) {
    if (!Number.isFinite(got[i])) return Infinity;
    difference = Math.max(difference, Math.abs(got[i]! - wanted[i]!));
    size = Math.max(size, Math.abs(wanted[i]!));
  }
  return size === ZERO ? difference : difference / size;
}
