import * as tf from '@tensorflow/tfjs-core';
import { layers, sequential, type LayersModel } from '@tensorflow/tfjs-layers';
import { disagreement, keptFeatures, keptSpan, keptTokens } from '@hypetune/cutoff';
import { BACKWARD_STAGE, tensorData, Trainer, WEIGHT_STAGE, type Plugin } from '@hypetune/core';
import { sam } from '@hypetune/sam';
import { spd } from '@hypetune/spd';
import { expect, test } from 'vitest';
import { expectClose, fixture, tensor, type Nested, type Tensors } from './harness.js';

/** A kernel and a bias that count as pre-trained, and a head that no gradient reaches. */
const LOCAL: Readonly<Record<string, string>> = { 'hidden.kernel': 'weight', 'hidden.bias': 'bias' };

function network({ weight, bias }: Tensors): LayersModel {
  const model = sequential({
    layers: [
      layers.dense({ name: 'hidden', units: 3, inputShape: [2] }),
      layers.dense({ name: 'head', units: 2 }),
    ],
  });
  model.layers[0]!.setWeights([tensor(weight!), tensor(bias!)]);
  return model;
}

interface Seen {
  /** How far the weights were moved in a step's last gradient computation. */
  readonly offsets: Record<string, tf.Tensor>;
  readonly gradients: Record<string, tf.Tensor>;
  readonly weights: Record<string, tf.Tensor>;
}

/** Trains with given gradients in place of the model's own: `gradients[step][computation]`. */
async function follow(
  start: Tensors,
  gradients: readonly (readonly Tensors[])[],
  plugin: Plugin,
  rate: number,
): Promise<Seen[]> {
  const model = network(start);
  const seen: Seen[] = [];
  let now: Seen;
  const keep = (value: tf.Tensor): tf.Tensor => tf.keep(tf.clone(value));
  const inject: Plugin = {
    name: 'inject',
    apply(host) {
      const { hooks, parameters } = host;
      hooks.aroundBackward.tap({ name: 'inject', stage: BACKWARD_STAGE.MULTISTEP }, (gradient, step) => {
        const left = [...gradients[step.index - 1]!];
        now = { offsets: {}, gradients: {}, weights: {} };
        return (options) => {
          const given = left.shift()!;
          const result = gradient(options);
          const own = Object.entries(result.gradients).map(([name, computed]) => {
            const local = LOCAL[name];
            return [name, local === undefined ? tf.zerosLike(computed) : tensor(given[local]!)];
          });
          return { ...result, gradients: Object.fromEntries(own) as typeof result.gradients };
        };
      });
      hooks.afterWeightRead.tap({ name: 'inject', stage: WEIGHT_STAGE.OFFSET + 1 }, (weight, parameter) => {
        const local = LOCAL[parameter.name];
        if (local !== undefined) now.offsets[local] = keep(tf.sub(weight, host.value(parameter)));
        return weight;
      });
      hooks.afterBackward.tap({ name: 'inject', stage: -1000 }, (final) => {
        for (const [name, local] of Object.entries(LOCAL)) now.gradients[local] = keep(final[name]!);
        return final;
      });
      hooks.onStep.tap('inject', () => {
        for (const parameter of parameters) {
          const local = LOCAL[parameter.name];
          if (local !== undefined) now.weights[local] = keep(host.value(parameter));
        }
        seen.push(now);
      });
    },
  };
  const trainer = new Trainer({
    ...{ model, plugins: [plugin, inject], steps: gradients.length, compile: false, clipNorm: 0 },
    optimizer: { learningRate: rate, weightDecay: 0 },
    schedule: { warmup: 0, decay: 'constant' },
  });
  await trainer.fit(tensorData(tf.ones([1, 2]), [0]));
  return seen;
}

function expectAll(got: Readonly<Record<string, tf.Tensor>>, wanted: Tensors): void {
  expect(Object.keys(got).sort()).toEqual(Object.keys(wanted).sort());
  for (const [name, value] of Object.entries(wanted)) expectClose(got[name]!, value);
}

interface SamFixture {
  asam: { radius: number; eta: number; weights: Tensors; gradients: Tensors; offsets: Tensors };
  gsam: { alpha: number; here: Tensors; there: Tensors; final: Tensors };
  friendly: {
    radius: number;
    sigma: number;
    lambda: number;
    steps: { gradients: Tensors; offsets: Tensors }[];
  };
}

const zeros: Tensors = { weight: [[0, 0, 0], [0, 0, 0]], bias: [0, 0, 0] }; // prettier-ignore

test('ASAM steps up as its released code does', async () => {
  const { radius, eta, weights, gradients, offsets } = fixture<SamFixture>('sam').asam;
  const plugin = sam({ variant: 'asam', radius, eta });
  const [step] = await follow(weights, [[gradients, zeros]], plugin, 0.1);
  expectAll(step!.offsets, offsets);
});

test('GSAM makes the gradient that its released code makes', async () => {
  const { alpha, here, there, final } = fixture<SamFixture>('sam').gsam;
  const [step] = await follow(zeros, [[here, there]], sam({ variant: 'gsam', alpha }), 0.1);
  expectAll(step!.gradients, final);
});

test('Friendly SAM steps up as its released code does, three times', async () => {
  const { steps, radius, sigma, lambda } = fixture<SamFixture>('sam').friendly;
  const plugin = sam({ variant: 'friendly', radius, sigma, lambda });
  const seen = await follow(
    zeros,
    steps.map(({ gradients }) => [gradients, zeros]),
    plugin,
    0.1,
  );
  for (const [place, { offsets }] of steps.entries()) expectAll(seen[place]!.offsets, offsets);
});

test('SPD holds back the weights that the released AdamSPD holds back, as far', async () => {
  const { learningRate, weight, start, steps } = fixture<{
    learningRate: number;
    weight: number;
    start: Tensors;
    steps: { gradients: Tensors; weights: Tensors }[];
  }>('spd');
  const given = steps.map(({ gradients }) => [gradients]);
  const seen = await follow(start, given, spd({ weight }), learningRate);
  for (const [place, { weights }] of steps.entries()) expectAll(seen[place]!.weights, weights);
  const plain = await follow(start, given, spd({ weight: 0 }), learningRate);
  const last = (run: Seen[]): number[] => Array.from(run.at(-1)!.weights['weight']!.dataSync());
  expect(last(plain)).not.toEqual(last(seen));
});

test('cutoff erases what the released code erases, and measures as it does', () => {
  const { ratio, lengths, positions, draws, starts, span, token, dim, first, second, divergence } = fixture<{
    ratio: number;
    lengths: number[];
    positions: number;
    draws: number[][];
    starts: number[];
    span: { kept: Nested };
    token: { kept: Nested };
    dim: { kept: Nested };
    first: number[][];
    second: number[][];
    divergence: number;
  }>('cutoff');
  const begin = tf.zeros([lengths.length, 1]);
  const range = {
    ...{ first: begin, lengths: tf.tensor2d(lengths, [lengths.length, 1]) },
    ...{ positions, ratio, spared: 0 },
  };
  expectClose(keptTokens(tensor(draws), range), token.kept);
  expectClose(keptFeatures(tensor(draws), positions), dim.kept);
  // There the last start is never drawn, here each is as likely.
  const same = starts.map((start, row) => {
    const free = lengths[row]! - Math.floor(lengths[row]! * ratio);
    return (start * free) / (free + 1);
  });
  expectClose(keptSpan(tf.tensor2d(same, [same.length, 1]), range), span.kept);
  const rows = disagreement(tf.tensor2d(first), tf.tensor2d(second), 'reference');
  expectClose(tf.mean(rows), divergence);
});
