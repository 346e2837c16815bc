import * as tf from '@tensorflow/tfjs-core';
import { initializers, layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import {
  GRADIENT_STAGE,
  type Gradients,
  Trainer,
  tensorData,
  WEIGHT_STAGE,
  type Plugin,
  type TrainerOptions,
} from '@hypetune/core';
import { childTuning } from '@hypetune/child-tuning';
import { freelb } from '@hypetune/freelb';
import { hiddenMixup } from '@hypetune/hidden-mixup';
import { hype } from '@hypetune/hype';
import { layerDecay } from '@hypetune/layer-decay';
import { layerDrop } from '@hypetune/layer-drop';
import { lnsr } from '@hypetune/lnsr';
import { lora } from '@hypetune/lora';
import { neftune } from '@hypetune/neftune';
import { rDrop } from '@hypetune/r-drop';
import { reinit } from '@hypetune/reinit';
import { adaptiveOffsets, sam } from '@hypetune/sam';
import { smart } from '@hypetune/smart';
import { topK } from '@hypetune/top-k';
import { expect, test } from 'vitest';
import { expectClose, oneStep } from './parity/harness.js';

// What a formula's own test cannot see: which passes, draws and weights a plugin meets in a trainer.

const batch = {
  inputs: [tf.tensor2d([0.5, -1, 2, 0.3, 0.7, -0.4, -1.5, 0.2, 0.9], [3, 3])],
  labels: tf.tensor2d([1, 0, 0, 1, 0, 1], [3, 2]),
};

/** Three hidden layers of one width and a head. */
function network(activation: 'tanh' | 'linear' = 'tanh', dropout = 0): LayersModel {
  const dense = (name: string, seed: number, units: number): ReturnType<typeof layers.dense> =>
    layers.dense({
      name,
      units,
      ...(name !== 'head' && { activation }),
      kernelInitializer: initializers.randomUniform({ minval: -0.6, maxval: 0.6, seed }),
      biasInitializer: initializers.randomUniform({ minval: -0.1, maxval: 0.1, seed: seed + 10 }),
    });
  return sequential({
    layers: [
      layers.inputLayer({ inputShape: [3] }),
      dense('low', 1, 3),
      layers.dropout({ name: 'dropout', rate: dropout }),
      dense('middle', 2, 3),
      dense('high', 3, 3),
      dense('head', 4, 2),
    ],
  });
}

/** Weights by name before and after one update. */
async function update(
  plugin: Plugin,
  options: Partial<TrainerOptions> = {},
): Promise<Record<string, tf.Tensor[]>> {
  const model = network();
  const before = model.getWeights().map((weight) => tf.clone(weight));
  await oneStep(model, [plugin], batch, { optimizer: { learningRate: 0.01, weightDecay: 0 }, ...options });
  return Object.fromEntries(
    model.weights.map((weight, place) => [weight.originalName, [before[place]!, tf.clone(weight.read())]]),
  );
}

/** Gradient of the plain loss at this model's weights, or at weights moved by `offset`. */
async function gradientAt(
  offset: Readonly<Record<string, tf.Tensor>> = {},
): Promise<Readonly<Record<string, tf.Tensor>>> {
  const model = network();
  for (const weight of model.weights) {
    const move = offset[weight.originalName.replace('/', '.')];
    if (move) weight.write(tf.add(weight.read(), move));
  }
  return (await oneStep(model, [], batch)).gradients;
}

test('SAM gives the gradient at the moved weights and the loss at the weights themselves', async () => {
  const here = await gradientAt();
  const norm = Math.sqrt(
    Object.values(here).reduce((sum, g) => sum + tf.sum(tf.square(g)).dataSync()[0]!, 0),
  );
  const moved = Object.fromEntries(Object.entries(here).map(([name, g]) => [name, tf.mul(g, 0.5 / norm)]));
  const seen = await oneStep(network(), [sam({ radius: 0.5 })], batch);
  const there = await gradientAt(moved);
  for (const [name, gradient] of Object.entries(there))
    expectClose(seen.gradients[name]!, gradient.arraySync() as number[]);
  expect(seen.loss).toBe((await oneStep(network(), [], batch)).loss);
});

test('SAM computes both gradients under one dropout mask', async () => {
  const plain = await oneStep(network('tanh', 0.5), [], batch);
  const sharp = await oneStep(network('tanh', 0.5), [sam({ radius: 1e-6 })], batch);
  for (const [name, gradient] of Object.entries(plain.gradients))
    expectClose(sharp.gradients[name]!, gradient.arraySync() as number[], 1e-4);
});

test('SAM has a radius for each unit it is measured in', async () => {
  const gradients = async (options: Parameters<typeof sam>[0]): Promise<unknown> =>
    Object.values((await oneStep(network(), [sam(options)], batch)).gradients).map((g) => g.arraySync());
  expect(await gradients({})).toEqual(await gradients({ radius: 0.05 }));
  expect(await gradients({ variant: 'asam' })).toEqual(await gradients({ variant: 'asam', radius: 0.5 }));
  expect(await gradients({ variant: 'asam' })).not.toEqual(
    await gradients({ variant: 'asam', radius: 0.05 }),
  );
});

test('FreeLB averages the gradients at the start and one step up the loss', async () => {
  const rate = 0.3;
  const model = network();
  // By hand: the gradient of the loss by the input, of each row normalized.
  const loss = (x: tf.Tensor): tf.Scalar =>
    tf.neg(tf.mean(tf.sum(tf.mul(batch.labels, tf.logSoftmax(model.apply(x) as tf.Tensor)), -1)));
  const slope = tf.grad(loss)(batch.inputs[0]!);
  const delta = tf.div(tf.mul(slope, rate), tf.norm(slope, 'euclidean', 1, true));
  const first = await oneStep(network(), [], batch);
  const second = await oneStep(network(), [], { ...batch, inputs: [tf.add(batch.inputs[0]!, delta)] });
  const seen = await oneStep(model, [freelb({ steps: 2, rate })], batch);
  for (const name of Object.keys(first.gradients)) {
    const mean = tf.div(tf.add(first.gradients[name]!, second.gradients[name]!), 2);
    expectClose(seen.gradients[name]!, mean.arraySync() as number[]);
  }
  expect(second.loss).toBeGreaterThan(first.loss);
  expect(seen.loss).toBe(first.loss);
});

test('LNSR and SMART share the main pass’s dropout: no noise, no term', async () => {
  const { terms } = await oneStep(network('tanh', 0.5), [lnsr({ scale: 1e-6 })], batch);
  expect(terms.lnsr).toBeLessThan(1e-9);
  const tiny = (form: 'paper' | 'reference'): Plugin => smart({ form, start: 1e-6, rate: 0, radius: 1e-6 });
  expect((await oneStep(network('tanh', 0.5), [tiny('paper')], batch)).terms.smart).toBeLessThan(1e-9);
  // The released code draws anew, and its perturbation has entries of 1.
  expect((await oneStep(network('tanh', 0.5), [tiny('reference')], batch)).terms.smart).toBeGreaterThan(1e-4);
});

test('SMART sees the noise of others in every pass: unperturbed there is nothing to climb, no term', async () => {
  const still = (): Plugin => smart({ start: 0, rate: 0.1, radius: 0.1 });
  for (const noise of [neftune({ alpha: 1 }), hype({ scale: 0.3 })])
    expect((await oneStep(network(), [still(), noise], batch)).terms.smart, noise.name).toBe(0);
});

test('LNSR shares LayerDrop’s choice too', async () => {
  for (const seed of [1, 2, 3, 4]) {
    const plugins = [layerDrop({ rate: 0.5 }), lnsr({ scale: 1e-6 })];
    expect((await oneStep(network(), plugins, batch, { seed })).terms.lnsr).toBeLessThan(1e-9);
  }
});

test('LNSR in a linear network is the noise times the weights above', async () => {
  // The lowest layer is where the noise enters; its drift is |e W1|^2, the next |e W1 W2|^2, ...: fourfold for double noise.
  const drift = async (scale: number): Promise<number> =>
    (await oneStep(network('linear'), [lnsr({ scale })], batch)).terms.lnsr!;
  expect((await drift(0.2)) / (await drift(0.1))).toBeCloseTo(4, 3);
});

test('SMART climbs: its perturbation raises the distance above a random one of the same size', async () => {
  const term = async (rate: number): Promise<number> =>
    (await oneStep(network(), [smart({ start: 0.02, radius: 0.1, rate })], batch)).terms.smart!;
  expect(await term(0.2)).toBeGreaterThan((await term(0)) * 2);
});

test('NEFTune draws once for all passes of a batch: R-Drop does not measure it', async () => {
  const { terms } = await oneStep(network(), [neftune(), rDrop()], batch);
  expect(terms['r-drop']).toBe(0);
});

test('Top-K leaves the weights below as they were', async () => {
  const weights = await update(topK({ layers: 1 }), { schedule: { warmup: 0 } });
  for (const [name, [before, after]] of Object.entries(weights)) {
    const moved = tf.max(tf.abs(tf.sub(after!, before!))).dataSync()[0]!;
    if (/^(high|head)/.test(name)) expect(moved, name).toBeGreaterThan(0.005);
    else expect(moved, name).toBe(0);
  }
});

test('layer-decay: the first Adam step of a layer is its rate', async () => {
  const schedule = { warmup: 0, decay: 'constant' } as const;
  const weights = await update(layerDecay({ decay: 0.5 }), { schedule });
  const step = (name: string): number => {
    const [before, after] = weights[`${name}/bias`]!;
    return tf.max(tf.abs(tf.sub(after!, before!))).dataSync()[0]!;
  };
  expect(['head', 'high', 'middle', 'low'].map((name) => step(name) / 0.01)).toEqual(
    [1, 0.5, 0.25, 0.125].map((rate) => expect.closeTo(rate, 2) as number),
  );
});

test('reinit starts the top layers anew and leaves the others', async () => {
  const weights = await update(reinit({ layers: 2, deviation: 5 }), {
    optimizer: { learningRate: 1e-9 },
  });
  const change = (name: string): number => {
    const [before, after] = weights[name]!;
    return tf.max(tf.abs(tf.sub(after!, before!))).dataSync()[0]!;
  };
  expect(change('low/kernel')).toBeLessThan(1e-6);
  expect(change('head/kernel')).toBeLessThan(1e-6);
  expect(change('middle/kernel')).toBeGreaterThan(2);
  expect(change('high/kernel')).toBeGreaterThan(2);
  expect(tf.max(tf.abs(weights['high/bias']![1]!)).dataSync()[0]).toBeLessThan(1e-6);
});

test('LayerDrop at a rate near 1 leaves only the head', async () => {
  const model = network();
  const [kernel, bias] = model.layers.at(-1)!.getWeights();
  const logits = tf.add(tf.matMul(batch.inputs[0]!, kernel!), bias!);
  const alone = tf.neg(tf.mean(tf.sum(tf.mul(batch.labels, tf.logSoftmax(logits)), -1))).dataSync()[0]!;
  const seen = await oneStep(model, [layerDrop({ rate: 0.999999 })], batch);
  expect(seen.loss).toBeCloseTo(alone, 5);
  expect(tf.max(tf.abs(seen.gradients['low.kernel']!)).dataSync()[0]).toBe(0);
});

test('hidden mixup in a linear network is the loss of mixed rows with mixed labels', async () => {
  const mixed: { inputs?: tf.Tensor; labels?: tf.Tensor } = {};
  const spy: Plugin = {
    name: 'watch',
    apply({ hooks }) {
      hooks.beforeBatch.tap({ name: 'watch', stage: 1000 }, (seen) => {
        mixed.labels = tf.keep(tf.clone(seen.labels));
        return seen;
      });
      hooks.afterLayerForward.tap({ name: 'watch', stage: 1000 }, (hidden, layer, pass) => {
        if (layer.index === 1 && pass.training) mixed.inputs = tf.keep(tf.clone(hidden));
        return hidden;
      });
    },
  };
  const model = network('linear');
  const rows = tf.concat([batch.inputs[0]!, tf.neg(batch.inputs[0]!)]);
  const data = tensorData(rows, [0, 1, 1, 0, 0, 1]);
  const losses: number[] = [];
  const trainer = new Trainer({
    model,
    plugins: [hiddenMixup({ alpha: 16, layers: [1] }), spy],
    steps: 1,
    batchSize: 6,
    clipNorm: 0,
    seed: 1,
    optimizer: { learningRate: 1e-9 },
  });
  trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
  await trainer.fit(data);
  const shares = Array.from(mixed.labels!.dataSync());
  expect(shares.some((share) => share > 0.01 && share < 0.99)).toBe(true);
  let hidden = mixed.inputs!;
  for (const name of ['high', 'head']) {
    const [kernel, bias] = model.getLayer(name).getWeights();
    hidden = tf.add(tf.matMul(hidden, kernel!), bias!);
  }
  const loss = tf.neg(tf.mean(tf.sum(tf.mul(mixed.labels!, tf.logSoftmax(hidden)), -1)));
  expect(losses[0]).toBeCloseTo(loss.dataSync()[0]!, 5);
});

const kept = (gradients: Gradients): Gradients =>
  Object.fromEntries(
    Object.entries(gradients).map(([name, gradient]) => [name, tf.keep(tf.clone(gradient))]),
  );

/** One step of a plugin together with LoRA, `spy` watching. */
async function withAdapters(plugin: Plugin, spy: Plugin['apply']): Promise<void> {
  const model = network();
  const watching = { name: 'spy', apply: spy };
  const options = { steps: 1, compile: false, schedule: { warmup: 0 } } as const;
  const trainer = new Trainer({ model, plugins: [lora({ rank: 2 }), plugin, watching], ...options });
  await trainer.fit(tensorData(batch.inputs, [0, 1, 1]));
  model.dispose();
}

test("ASAM measures LoRA's adapters by their own size", async () => {
  const here: Gradients[] = [];
  const sizes: Record<string, tf.Tensor> = {};
  const offsets: Record<string, tf.Tensor> = {};
  await withAdapters(sam({ variant: 'asam', radius: 0.5 }), (host) => {
    host.hooks.aroundBackward.tap('spy', (gradient) => (options) => {
      const result = gradient(options);
      here.push(kept(result.gradients));
      return result;
    });
    host.hooks.afterWeightRead.tap({ name: 'spy', stage: WEIGHT_STAGE.OFFSET + 1 }, (weight, parameter) => {
      if (!parameter.name.startsWith('lora/')) return weight;
      sizes[parameter.name] = tf.keep(tf.add(tf.abs(host.value(parameter)), 0.01));
      offsets[parameter.name] = tf.keep(tf.sub(weight, host.value(parameter)));
      return weight;
    });
  });
  const head = { 'head.kernel': tf.add(tf.abs(network().getLayer('head').weights[0]!.read()), 0.01) };
  const wanted = adaptiveOffsets(here[0]!, { ...sizes, ...head }, 0.5);
  expect(Object.keys(offsets)).toHaveLength(6);
  for (const [name, offset] of Object.entries(offsets))
    expectClose(offset, wanted[name]!.arraySync() as number[][]);
});

test("Child-Tuning's mode D measures and masks LoRA's adapters, without the noise of others", async () => {
  const left: Record<string, number> = {};
  await withAdapters(childTuning({ mode: 'D', reserve: 0.3 }), ({ hooks }) => {
    hooks.afterBackward.tap({ name: 'spy', stage: GRADIENT_STAGE.RECORD }, (gradients) => {
      for (const [name, gradient] of Object.entries(gradients))
        left[name] = Array.from(gradient.dataSync()).filter((value) => value !== 0).length;
      return gradients;
    });
  });
  const up = Object.keys(left).filter((name) => name.endsWith('lora_B'));
  // 18 entries of A, which the zeros of B keep from any gradient, and 18 of B: 0.3 of 36.
  expect(up).toHaveLength(3);
  expect(up.reduce((sum, name) => sum + left[name]!, 0)).toBe(11);
});
