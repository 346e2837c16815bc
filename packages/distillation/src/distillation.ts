import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, divergenceOf, HypetuneError, LOSS_STAGE, z } from '@hypetune/core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { softLoss } from './formula.js';
import { isLayersModel, teacherLogits } from './teacher.js';

/** Distillation (Hinton et al., 2015): `(1 - weight) L + weight T^2 CE(softmax(t / T), softmax(s / T))`, t a frozen teacher's logits. */
export const distillation = defineMethod({
  name: 'distillation',
  summary: 'Adds the soft predictions of a frozen teacher model to the labels.',
  source: 'Hinton et al., 2015',
  cost: 'one forward pass of the teacher; none more of the model',
  options: {
    weight: z.number().min(0).max(1).default(0.5).meta({
      description: 'share of the soft loss, the labels have the rest; 0 is off',
      paper: 'the labels have considerably less',
    }),
    temperature: z.number().gt(0).default(2).meta({
      description: 'T: both predictions are softened by it; for values it is not used',
      paper: '1 to 20',
    }),
    teacher: z.union([z.custom<LayersModel>(isLayersModel), z.string()]).meta({
      description:
        'trained model of the same classes or values, for the command its folder; not trained, saved or disposed here',
      wanted: 'a tf.LayersModel, or for the command the folder of one',
      model: true,
    }),
  },
  pairs: {
    warn: {
      'hidden-mixup':
        'The model mixes rows inside, the teacher sees them unmixed: its targets are not those of the mixture.',
    },
    note: {
      'r-drop': 'The teacher is compared with the main pass.',
      sam: 'The teacher runs once, its targets serve both gradients.',
    },
  },
  apply(host, { teacher, weight, temperature }) {
    if (weight === 0) return;
    const { name, hooks } = host;
    if (typeof teacher === 'string')
      throw new HypetuneError(
        `${name}: teacher '${teacher}' is a name, which the command resolves; in code give the model that loadModel makes of it.`,
      );
    const logitsOf = teacherLogits(host, teacher);
    const distance = divergenceOf(host.task, name);
    // Adding up a row's labels makes it a mean over them, as the task's loss is.
    const share = host.task.kind === 'indicators' ? 1 / host.outputs : 1;
    const soft = (t: tf.Tensor, s: tf.Tensor): tf.Tensor => tf.mul(softLoss(t, s, temperature), share);
    let targets: tf.Tensor | undefined;
    // After whoever changes the batch; once a microbatch, however many gradients are taken of it.
    hooks.beforeBatch.tap({ name, stage: 100 }, (batch) => {
      targets = logitsOf(batch.inputs);
      return batch;
    });
    // After whoever replaces the task term, which is weighted here.
    hooks.afterLoss.tap({ name, stage: LOSS_STAGE.REPLACE + 50 }, (terms, step) => ({
      ...terms,
      task: tf.mul(terms['task']!, 1 - weight),
      [name]: tf.mul(step.mean(distance(targets!, step.main.logits, step.batch.labels, soft)), weight),
    }));
  },
});
