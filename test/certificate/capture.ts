import { writeFileSync } from 'node:fs';
import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import {
  GRADIENT_STAGE,
  tensorData,
  Trainer,
  type Batch,
  type Dataset,
  type ParameterInfo,
  type Plugin,
  type Step,
} from '@hypetune/core';
import { drawOrder, drawPartners, drawShare } from '@hypetune/hidden-mixup';
import { loadModel, namedWeights, type NamedWeight } from '@hypetune/models';
import { foldIn } from '@hypetune/ops';
import { serializeSafetensors } from '@hypetune/safetensors';
import { type Expected, expectedOf, inputsOf } from '../parity/families.js';
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
  const { model } = await loadModel(family.folder, { config: { ...family.dropouts } });
  const teacher = await stretchedModel(family.folder);
  const plugins = one.plugins(teacher);
  const weights = namedWeights(model);
  const batch = fixedBatch(expected);
  const record = new Recording(weights);
  const warnings: string[] = [];
  const trainer = new Trainer({
    model,
    plugins: [...plugins, record.plugin(batch)],
    steps: STEPS,
    batchSize: batch.indices.length,
    clipNorm: 0,
    seed: 3,
    compile: false,
    optimizer: OPTIMIZER,
    schedule: { warmup: 0, decay: 'constant' },
    onWarning: (line) => warnings.push(line),
  });
  const batches: number[][] = [];
  const data = watched(tensorData([...batch.inputs], expected.labels), (read) => batches.push([...read]));
  const [, draws] = await recordingDraws(record.place, () => trainer.fit(data));
  for (const { name, variable } of weights) record.put(`final/${name}`, name, variable.read());
  if (one.name === 'distillation')
    for (const { name, variable } of namedWeights(teacher))
      record.put(`teacher/${name}`, name, variable.read());
  for (const [n, { shape, values }] of draws.entries())
    record.tensors.set(`draws/${n}`, { shape, data: values });
  const rowWeights = Array.from(batch.weights.dataSync());
  tf.dispose([...batch.inputs, batch.labels, batch.weights]);
  model.dispose();
  teacher.dispose();
  const { tensors, order, loaded, mixes } = record;
  return {
    warnings,
    tensors,
    meta: {
      ...{ family: family.name, folder: family.folder, dropouts: family.dropouts, case: one.name },
      methods: plugins.map(({ name, options }) => ({ name, options: plain(options) })),
      ...{ steps: STEPS, optimizer: OPTIMIZER, order, loaded, mixes, batches, rowWeights, rows: expected },
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

/** A fixture's rows as one batch whose last row only fills it. */
function fixedBatch(expected: Expected): Batch {
  const counts = expected.labels.map((_, row) => row < expected.labels.length - 1);
  const classes = expected.logits[0]!.length;
  return {
    inputs: inputsOf(expected),
    labels: tf.tidy(() => tf.cast(tf.oneHot(tf.tensor1d(expected.labels, 'int32'), classes), 'float32')),
    weights: tf.tensor1d(counts.map(Number)),
    indices: counts.map((count, row) => (count ? row : 0)),
  };
}

/** A teacher: the fixture's model with other kernels. */
async function stretchedModel(folder: string): Promise<LayersModel> {
  const { model } = await loadModel(folder);
  for (const { kind, variable } of namedWeights(model))
    if (kind === 'linear') variable.write(tf.tidy(() => tf.mul(variable.read(), 1.3)));
  return model;
}

/** What is noted while a run lasts. */
class Recording {
  readonly tensors = new Map<string, Stored>();
  /** Names of each update's gradients, in order. */
  readonly order: string[][] = [];
  /** Names of the weights that were loaded, in order. */
  readonly loaded: string[] = [];
  readonly mixes: unknown[] = [];
  readonly place: DrawPlace = { step: -1, weight: undefined };
  readonly #weights: ReadonlyMap<string, NamedWeight>;

  constructor(weights: readonly NamedWeight[]) {
    this.#weights = new Map(weights.map((weight) => [weight.name, weight]));
  }

  /** Keeps a value of a weight, or of its kind, as the checkpoint has it. */
  put(key: string, weight: string, value: tf.Tensor): void {
    this.tensors.set(key, stored(value, this.#weights.get(weight)));
  }

  /** Gives the trainer a batch and notes what it makes of it: no value is changed. */
  plugin(batch: Batch): Plugin {
    const name = 'recording';
    return {
      name,
      apply: (host) => {
        const { hooks } = host;
        let own: readonly ParameterInfo[] = [];
        const weights = (step: number): void => {
          for (const parameter of new Set([...host.parameters, ...own]))
            this.put(`weights/${step}/${parameter.name}`, parameter.name, host.value(parameter));
        };
        hooks.afterLoad.tap({ name, stage: FIRST }, (values) => {
          this.loaded.push(...values.keys());
          return values;
        });
        hooks.onFitStart.tap({ name, stage: FIRST }, ({ parameters }) => {
          own = parameters;
          this.place.step = 0;
          weights(0);
        });
        hooks.beforeBatch.tap({ name, stage: FIRST }, (_, step) => {
          this.mixes.push(mixOf(step, batch.indices, host.layers.length));
          return batch;
        });
        hooks.afterWeightRead.tap({ name, stage: FIRST }, (value, parameter) => {
          this.place.weight = parameter.name;
          return value;
        });
        hooks.afterWeightRead.tap({ name, stage: LAST }, (value) => {
          this.place.weight = undefined;
          return value;
        });
        // PyTorch draws for every token of the last layer; where nothing sees them, we compute the first alone (test/first-token.test.ts).
        hooks.afterLayerForward.tap(name, (hidden) => hidden);
        hooks.afterBackward.tap({ name, stage: GRADIENT_STAGE.RECORD }, (gradients, step) => {
          this.order.push(Object.keys(gradients));
          for (const [weight, gradient] of Object.entries(gradients))
            this.put(`gradients/${step.index}/${weight}`, weight, gradient);
          return gradients;
        });
        hooks.onStep.tap(name, ({ step }) => {
          this.place.step = step;
          weights(step);
        });
      },
    };
  }
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
