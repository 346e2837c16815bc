import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import { GRADIENT_STAGE, tensorData, Trainer, type Dataset, type Plugin, type Step } from '@hypetune/core';
import { drawOrder, drawPartners, drawShare } from '@hypetune/hidden-mixup';
import { loadModel, namedWeights, type NamedWeight } from '@hypetune/models';
import { foldIn } from '@hypetune/ops';
import { serializeSafetensors } from '@hypetune/safetensors';
import { expectedOf, inputsOf } from '../parity/families.js';
import type { CertifiedCase } from './cases.js';
import { recordingDraws, type Draw, type DrawPlace } from './draws.js';
import type { CertifiedFamily } from './families.js';

/** Before and behind every plugin's tap. */
const [FIRST, LAST] = [-1e6, 1e6];
const STEPS = 3;
const OPTIMIZER = {
  learningRate: 0.02,
  beta1: 0.8,
  beta2: 0.9,
  epsilon: 1e-3,
  weightDecay: 0.1,
  epsilonMode: 'torch',
  biasCorrection: true,
} as const;

/** A tensor as a checkpoint has it: linear kernels [out, in]. */
interface Stored {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

/** What a short run of a method did, tensors by name. */
export interface Captured {
  readonly meta: Readonly<Record<string, unknown>>;
  /** `weights/0/NAME` before the first update, `weights/T/NAME` after the T-th; `gradients/T/NAME`; `final/NAME`; `draws/N`. */
  readonly tensors: ReadonlyMap<string, Stored>;
  readonly warnings: readonly string[];
}

/**
 * Trains a family's small model for three updates with a method on the cpu backend, on rows with padding, the last of which only fills
 * the batch, and keeps everything that went in and came out.
 */
export async function capture(family: CertifiedFamily, one: CertifiedCase): Promise<Captured> {
  const expected = expectedOf(family.folder);
  const config = { ...family.dropouts };
  const { model } = await loadModel(family.folder, { config });
  const { model: teacher } = await loadModel(family.folder);
  for (const { kind, variable } of namedWeights(teacher))
    if (kind === 'linear') variable.write(tf.tidy(() => tf.mul(variable.read(), 1.3)));
  const weights = namedWeights(model);
  const byName = new Map(weights.map((weight) => [weight.name, weight]));
  const plugins = one.plugins(teacher);
  const tensors = new Map<string, Stored>();
  const put = (name: string, own: string, value: tf.Tensor): void => {
    tensors.set(name, stored(value, byName.get(own)));
  };
  const place: DrawPlace = { step: -1, weight: undefined };
  const [order, loaded, mixes, batches]: [string[][], string[], unknown[], number[][]] = [[], [], [], []];
  const inputs = inputsOf(expected);
  const rows = expected.labels.length;
  const classes = expected.logits[0]!.length;
  const labels = tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(expected.labels, 'int32'), classes), 'float32'));
  const rowWeights = tf.tensor1d(expected.labels.map((_, row) => (row < rows - 1 ? 1 : 0)));
  const indices = expected.labels.map((_, row) => (row < rows - 1 ? row : 0));

  const spy: Plugin = {
    name: 'spy',
    apply(host) {
      const { hooks } = host;
      hooks.afterLoad.tap({ name: 'spy', stage: FIRST }, (values) => {
        loaded.push(...values.keys());
        return values;
      });
      const all = (step: number, own: readonly { name: string }[]): void => {
        for (const parameter of new Map([...host.parameters, ...own].map((p) => [p.name, p])).values())
          put(`weights/${step}/${parameter.name}`, parameter.name, host.value(parameter as never));
      };
      let own: readonly { name: string }[] = [];
      hooks.onFitStart.tap({ name: 'spy', stage: FIRST }, (run) => {
        own = run.parameters;
        place.step = 0;
        all(0, own);
      });
      hooks.beforeBatch.tap({ name: 'spy', stage: FIRST }, (batch, step) => {
        mixes.push(mixOf(step, indices, host.layers.length));
        return { ...batch, inputs, labels, weights: rowWeights, indices };
      });
      hooks.afterWeightRead.tap({ name: 'spy', stage: FIRST }, (value, parameter) => {
        place.weight = parameter.name;
        return value;
      });
      hooks.afterWeightRead.tap({ name: 'spy', stage: LAST }, (value) => {
        place.weight = undefined;
        return value;
      });
      hooks.afterBackward.tap({ name: 'spy', stage: GRADIENT_STAGE.RECORD }, (gradients, step) => {
        order.push(Object.keys(gradients));
        for (const [name, gradient] of Object.entries(gradients))
          put(`gradients/${step.index}/${name}`, name, gradient);
        return gradients;
      });
      hooks.onStep.tap('spy', ({ step }) => {
        place.step = step;
        all(step, own);
      });
    },
  };
  const warnings: string[] = [];
  const trainer = new Trainer({
    model,
    plugins: [...plugins, spy],
    steps: STEPS,
    batchSize: rows,
    clipNorm: 0,
    seed: 3,
    compile: false,
    optimizer: OPTIMIZER,
    schedule: { warmup: 0, decay: 'constant' },
    onWarning: (line) => warnings.push(line),
  });
  const data = watched(tensorData(inputs, expected.labels), (read) => batches.push([...read]));
  const [, draws] = await recordingDraws(place, () => trainer.fit(data));
  for (const { name, variable } of weights) put(`final/${name}`, name, variable.read());
  if (one.name === 'distillation')
    for (const weight of namedWeights(teacher))
      tensors.set(`teacher/${weight.name}`, stored(weight.variable.read(), weight));
  for (const [n, { shape, values }] of draws.entries()) tensors.set(`draws/${n}`, { shape, data: values });
  tf.dispose([...inputs, labels, rowWeights]);
  for (const each of [model, teacher]) each.dispose();
  return {
    warnings,
    tensors,
    meta: {
      ...{ family: family.name, folder: family.folder, dropouts: family.dropouts, case: one.name },
      methods: plugins.map(({ name, options }) => ({ name, options: plain(options) })),
      ...{ steps: STEPS, optimizer: OPTIMIZER, order, loaded, mixes, batches },
      ...{ rowWeights: indices.map((_, row) => (row < rows - 1 ? 1 : 0)), rows: expected },
      draws: draws.map(({ step, weight, kind }: Draw) => ({ step, weight: weight ?? null, kind })),
      layouts: Object.fromEntries(
        weights.map(({ name, kind, variable }) => [
          name,
          { linear: kind === 'linear', shape: variable.shape },
        ]),
      ),
    },
  };
}

/** Writes a capture where the other side reads it. */
export function writeCapture(file: string, { meta, tensors }: Captured): void {
  const entries = [...tensors].map(
    ([name, { shape, data }]) => [name, { dtype: 'F32' as const, shape: [...shape], data }] as const,
  );
  writeFileSync(file, serializeSafetensors(entries as never, { case: JSON.stringify(meta) }));
}

/** A weight's value, gradient or the like as its checkpoint has it; a plugin's own as it is. */
function stored(value: tf.Tensor, weight: NamedWeight | undefined): Stored {
  const turned = weight?.kind === 'linear' ? tf.transpose(value) : tf.clone(value);
  const data = turned.dataSync<'float32'>().slice();
  turned.dispose();
  return { shape: weight?.storedShape ?? value.shape, data };
}

/** What hidden mixup draws on the host, by the functions that it draws with. */
function mixOf(step: Step, indices: readonly number[], layers: number): unknown {
  const key = foldIn(step.key, 'hidden-mixup');
  return {
    layer: drawOrder(layers, foldIn(key, 'layer'))[0],
    share: drawShare(0.75, foldIn(key, 'share')),
    partners: drawPartners(indices, foldIn(key, 'order')),
  };
}

/** Options that JSON can say: not the teacher, a model. */
function plain(options: unknown): unknown {
  return Object.fromEntries(
    Object.entries((options ?? {}) as object).filter(
      ([, value]) => typeof value !== 'object' || Array.isArray(value),
    ),
  );
}

/** The data set, and whoever reads rows of it is seen. */
function watched(data: Dataset, seen: (indices: readonly number[]) => void): Dataset {
  return {
    ...data,
    size: data.size,
    label: (index) => data.label(index),
    inputs: (indices, length) => {
      seen(indices);
      return data.inputs(indices, length);
    },
  };
}
