import * as tf from '@tensorflow/tfjs-core';
import { HypetuneError, UPDATE_STAGE, WEIGHT_STAGE, type PluginHost } from '@hypetune/core';
import { foldIn, randomNormal } from '@hypetune/ops';

/** Unit vectors that approach the leading singular vectors of an `[n, m]` weight: left `[n, 1]`, right `[m, 1]`. */
export interface SingularVectors {
  readonly left: tf.Tensor2D;
  readonly right: tf.Tensor2D;
}

/** One power iteration from a left vector: `v = W^T u / |W^T u|`, then `u = W v / |W v|`. */
export function powerIteration(weight: tf.Tensor2D, left: tf.Tensor2D): SingularVectors {
  const right = unit(tf.matMul(weight, left, true));
  return { left: unit(tf.matMul(weight, right)), right };
}

/** `W / sigma` with `sigma = u^T W v`; u and v are constants to the gradient. */
export function spectrallyNormalized(weight: tf.Tensor2D, { left, right }: SingularVectors): tf.Tensor2D {
  return tf.div(weight, tf.sum(tf.mul(left, tf.matMul(weight, right))));
}

function unit(vector: tf.Tensor2D): tf.Tensor2D {
  return tf.div(vector, tf.maximum(tf.norm(vector), 1e-12));
}

/**
 * R4F's constraint on the last kernel of the head. Training passes read `W / sigma`; every update ends on such a weight, so
 * that evaluation, and the model once training is over, read the constrained weight as it stands. The power iteration
 * advances once a step, however many passes read the weight.
 */
export function constrainHead(host: PluginHost): void {
  const { name, hooks, tensors: vectors } = host;
  const head = host.parameters.findLast(({ site, role }) => site === 'head' && role === 'kernel');
  if (head?.shape.length !== 2)
    throw new HypetuneError(`${name}: spectralNorm needs a model whose head has a kernel of two dimensions.`);
  const known = (): SingularVectors => ({
    left: vectors.get('left') as tf.Tensor2D,
    right: vectors.get('right') as tf.Tensor2D,
  });
  const advance = (weight: tf.Tensor2D, from: tf.Tensor2D): SingularVectors => {
    const next = powerIteration(weight, from);
    vectors.set('left', next.left);
    vectors.set('right', next.right);
    return next;
  };
  hooks.onFitStart.tap(name, (run) => {
    if (run.resumed) return;
    tf.tidy(() => {
      const start = randomNormal([head.shape[0]!, 1], foldIn(run.key, name, head.name)) as tf.Tensor2D;
      const weight = host.value(head) as tf.Tensor2D;
      for (let i = 0, left = start; i < 15; i++) ({ left } = advance(weight, left));
    });
  });
  hooks.afterWeightRead.tap({ name, stage: WEIGHT_STAGE.CONSTRAIN }, (weight, parameter, pass) =>
    pass.training && parameter.name === head.name
      ? spectrallyNormalized(weight as tf.Tensor2D, known())
      : weight,
  );
  hooks.beforeUpdate.tap({ name, stage: UPDATE_STAGE.CONSTRAIN }, (updates) => {
    const update = updates[head.name];
    if (!update) return updates;
    const current = host.value(head);
    const next: tf.Tensor2D = tf.add(current, update);
    const normalized = spectrallyNormalized(next, advance(next, known().left));
    return { ...updates, [head.name]: tf.sub(normalized, current) };
  });
}
