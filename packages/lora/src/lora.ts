import * as tf from '@tensorflow/tfjs-core';
import {
  defineMethod,
  EVALUATION_STAGE,
  mapWeights,
  variantOf,
  WEIGHT_STAGE,
  z,
  type OwnParameter,
  type ParameterInfo,
} from '@hypetune/core';
import { adapted, initialDown, outputNorms, scaling, withMagnitude } from './formula.js';
import { moduleOf, targetKernels } from './targets.js';

/** Which biases train beside the adapters. */
export const biases = ['none', 'all', 'lora_only'] as const;

/** An adapter's own parameters; their names in a trainer are `lora/MODULE.lora_A` and so on. */
interface Adapter {
  readonly down: OwnParameter;
  readonly up: OwnParameter;
  readonly magnitude?: OwnParameter;
}

/** LoRA (Hu et al., 2021): kernels read as `W + s A B`, W frozen; DoRA (Liu et al., 2024): `m (W + s A B) / ||W + s A B||`. */
export const lora = defineMethod({
  name: 'lora',
  summary: 'Freezes what is pre-trained and trains low-rank adapters of its kernels, and the head.',
  source: 'Hu et al., 2021',
  cost: 'no extra pass; one small product a kernel; no moments, no decay of what is frozen',
  options: {
    rank: z.int().min(0).default(8).meta({
      description: 'r: columns of A and rows of B; 0 is off',
      paper: '8 for RoBERTa',
    }),
    alpha: z.number().gt(0).default(8).meta({
      description: 'strength: adapters are scaled by alpha / rank',
      paper: '8 for RoBERTa-base, 16 for large',
    }),
    targetModules: z
      .union([z.literal('all-linear'), z.array(z.string()).min(1)])
      .optional()
      .meta({
        description:
          'ends of the names of the modules to adapt, or all-linear; query and value unless given, or all where there is neither',
        paper: 'query and value',
      }),
    rankStabilized: z
      .boolean()
      .default(false)
      .describe('scales by alpha / sqrt(rank) instead (rsLoRA, Kalajdzievski, 2023)'),
    dora: z
      .boolean()
      .default(false)
      .describe("trains each kernel's output norms as well (DoRA, Liu et al., 2024)"),
    bias: z
      .enum(biases)
      .default('none')
      .describe('which pre-trained biases train too: none, all, or lora_only, those of adapted modules'),
  },
  pairs: {
    warn: {
      mixout:
        'Mixout mixes trained kernels with pre-trained ones; with lora none of those trains, so it does nothing.',
      recadam: 'What it pulls to its pre-trained value is frozen there.',
      'l2-sp': 'What it pulls to its pre-trained value is frozen there; only its decay of the head acts.',
    },
    note: {
      'child-tuning':
        'Masks gradients of the adapters. Mode D measures them at the start, where B is zero and A has no gradient: A stays as drawn.',
      sam: 'Moves the adapters and the head.',
      'top-k': 'Layers that top-k freezes get no trained adapter.',
      'layer-decay': "An adapter's rate is its layer's.",
      ema: 'The adapters are averaged, then merged.',
      swa: 'The adapters are averaged, then merged.',
      'wise-ft': 'The merged weights are interpolated; saveAdapter refuses, as no adapter holds them.',
      noisytune: 'The frozen weights are the noised ones; saveAdapter refuses, as no adapter holds them.',
    },
  },
  apply(host, { rank, alpha, targetModules, rankStabilized, dora, bias }) {
    if (rank === 0) return;
    const kernels = targetKernels(host.parameters, targetModules);
    const scale = scaling(alpha, rank, rankStabilized);
    const adapters = new Map(
      kernels.map((kernel): [string, Adapter] => {
        const [inputs, outputs] = kernel.shape as [number, number];
        const module = moduleOf(kernel.name);
        const trained = { decay: true, of: kernel };
        const down = host.addParameter(
          `${module}.lora_A`,
          [inputs, rank],
          (key) => initialDown(inputs, rank, key),
          trained,
        );
        const up = host.addParameter(
          `${module}.lora_B`,
          [rank, outputs],
          () => tf.zeros([rank, outputs]),
          trained,
        );
        if (!dora) return [kernel.name, { down, up }];
        const magnitude = host.addParameter(
          `${module}.lora_magnitude_vector`,
          [outputs],
          () => outputNorms(host.value(kernel)),
          { of: kernel },
        );
        return [kernel.name, { down, up, magnitude }];
      }),
    );
    const merged = (
      weight: tf.Tensor,
      adapter: Adapter,
      value: (own: OwnParameter) => tf.Tensor,
    ): tf.Tensor => {
      const sum = adapted(weight, value(adapter.down), value(adapter.up), scale);
      return adapter.magnitude ? withMagnitude(sum, value(adapter.magnitude)) : sum;
    };
    const modules = new Set(kernels.map(({ name }) => moduleOf(name)));
    const trainsBias = ({ name }: ParameterInfo): boolean =>
      name.endsWith('.bias') && (bias === 'all' || (bias === 'lora_only' && modules.has(moduleOf(name))));

    host.hooks.shouldTrain.tap(host.name, (parameter) =>
      parameter.pretrained && !trainsBias(parameter) ? false : undefined,
    );
    host.hooks.afterWeightRead.tap(
      { name: host.name, stage: WEIGHT_STAGE.OFFSET },
      (weight, { name }, pass) => {
        const adapter = adapters.get(name);
        // In evaluation the model holds merged weights.
        return adapter && pass.kind !== 'evaluation'
          ? merged(weight, adapter, (own) => own.read(pass))
          : weight;
      },
    );
    host.hooks.beforeEvaluation.tap({ name: host.name, stage: EVALUATION_STAGE.MERGE }, (weights) => {
      const value = ({ info }: OwnParameter): tf.Tensor => weights.get(info.name)!;
      return mapWeights(weights, (weight, name) => {
        const adapter = adapters.get(name);
        return adapter ? merged(weight, adapter, value) : weight;
      });
    });
  },
});

/** DoRA (Liu et al., 2024): LoRA with the option `dora`. */
export const dora = variantOf(
  lora,
  {
    name: 'dora',
    summary:
      'Freezes what is pre-trained and trains low-rank adapters and output norms of its kernels, and the head.',
    source: 'Liu et al., 2024',
  },
  { dora: true },
);
