import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { tokenClassification } from '@hypetune/core';
import { configOf, loadModel, namedWeights, saveModel } from '@hypetune/models';
import { afterAll, beforeAll, expect, test } from 'vitest';

interface Case {
  readonly folder: string;
  readonly architecture: string;
  readonly head: Readonly<Record<string, number[]>>;
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly labels: number[][];
  readonly logits: number[];
  readonly loss: number;
  /** Norm and first four elements. */
  readonly gradients: Readonly<Record<string, number[]>>;
}

const FIXTURES = fileURLToPath(new URL('../../packages/models/fixtures', import.meta.url));

/** Made by make_token_fixtures.py from the token classifiers of PyTorch transformers. */
const golden = JSON.parse(readFileSync(join(FIXTURES, 'tokens.json'), 'utf8')) as {
  labels: string[];
  cases: Case[];
};

const scratch = mkdtempSync(join(tmpdir(), 'token-heads-'));
beforeAll(() => tf.setBackend('cpu'));
afterAll(() => {
  rmSync(scratch, { recursive: true });
});

const closeTo = (values: readonly number[]): number[] => values.map((v) => expect.closeTo(v, 4) as number);

/** A stored tensor `[out, in]` from a kernel `[in, out]`, and any other as it is. */
function stored(value: tf.Tensor, linear: boolean): Float32Array {
  return (linear ? tf.transpose(value) : value).dataSync<'float32'>();
}

test.each(golden.cases)(
  '$architecture of $folder: logits, loss and every gradient are those of transformers',
  async (one) => {
    const task = tokenClassification({ labels: golden.labels });
    const { model, head, initialized } = await loadModel(join(FIXTURES, one.folder), { task });
    expect(head.head).toBe('new');
    const weights = namedWeights(model);
    expect(initialized).toEqual(Object.keys(one.head));
    // XLNet's mask_emb is kept for the checkpoint's sake alone.
    const trained = weights.map(({ name }) => name).filter((name) => !name.endsWith('mask_emb'));
    expect(trained.sort()).toEqual(Object.keys(one.gradients).sort());
    tf.tidy(() => {
      for (const { name, variable, storedShape } of weights) {
        const values = one.head[name];
        if (!values) continue;
        const tensor = tf.tensor(values, [...storedShape]);
        variable.write(tensor.rank > 1 ? tf.transpose(tensor) : tensor);
      }
      const int = (rows: number[][]): tf.Tensor => tf.tensor2d(rows, undefined, 'int32');
      const inputs = [int(one.inputIds), int(one.attentionMask), tf.zerosLike(int(one.inputIds))];
      const output = {
        shape: model.outputs[0]!.shape,
        units: golden.labels.length,
        ending: undefined,
      } as const;
      const length = one.inputIds[0]!.length;
      const collated = task.collate(one.labels, {
        outputs: task.outputs(output),
        length,
        row: (place) => place,
      });
      const labels = tf.tensor(collated.values, [...collated.shape]);
      const counts = tf.tensor1d([...collated.weights]);
      const variables = weights.map(({ variable }) => variable.read() as unknown as tf.Variable);
      const { value, grads } = tf.variableGrads(() => {
        const logits = model.apply(inputs) as tf.Tensor;
        // What a model says of padding is its own affair.
        const read = one.attentionMask.flat().flatMap((mask, place) => (mask === 1 ? [place] : []));
        const size = golden.labels.length;
        const ofTokens = (values: ArrayLike<number>): number[] =>
          read.flatMap((place) => Array.from({ length: size }, (_, k) => values[place * size + k]!));
        expect(ofTokens(logits.dataSync())).toEqual(closeTo(ofTokens(one.logits)));
        return tf.div(tf.sum(tf.mul(task.loss(logits, labels), counts)), tf.sum(counts));
      }, variables);
      expect(value.dataSync()[0]).toBeCloseTo(one.loss, 4);
      for (const [place, { name, kind }] of weights.entries()) {
        if (!one.gradients[name]) continue;
        const gradient = stored(grads[variables[place]!.name]!, kind === 'linear');
        const norm = Math.sqrt(gradient.reduce((sum, v) => sum + v * v, 0));
        expect([norm, ...gradient.slice(0, 4)], name).toEqual(closeTo(one.gradients[name]!));
      }
    });
    const folder = join(scratch, one.folder);
    await saveModel(model, folder);
    const config = JSON.parse(readFileSync(join(folder, 'config.json'), 'utf8')) as Record<string, unknown>;
    expect(config).toMatchObject({ architectures: [one.architecture], dtype: 'float32' });
    expect(config).not.toHaveProperty('problem_type');
    expect(config).not.toHaveProperty('num_labels');
    const again = await loadModel(folder);
    expect([again.head, again.initialized]).toEqual([{ head: 'kept' }, []]);
    expect(configOf(again.model).id2label).toEqual(Object.assign({}, golden.labels));
    again.model.dispose();
    model.dispose();
  },
);
