import { type Tensor, type serialization, tidy } from '@tensorflow/tfjs-core';
import { type LayerVariable, type Shape, layers } from '@tensorflow/tfjs-layers';
import { foldIn, seedKey } from '@hypetune/ops';
import { type Dropouts, dropoutsOf } from './dropouts.js';
import { type Initializer, keyedInitializer } from './keyed-initializer.js';

/**
 * What a weight is: a `linear` kernel is [in, out] here and [out, in] in a checkpoint, everything else has one form.
 * Kernels and tables start from N(0, initializerRange^2), biases at 0, scales at 1, `sinusoids` as a table of sines.
 */
export type WeightKind = 'linear' | 'table' | 'sinusoids' | 'bias' | 'scale';

const STARTS = {
  linear: 'normal',
  table: 'normal',
  sinusoids: 'sinusoids',
  bias: 'zeros',
  scale: 'ones',
} as const satisfies Record<WeightKind, string>;

/** A weight's kind and shape. */
export interface WeightSpec {
  readonly kind: WeightKind;
  readonly shape: readonly number[];
  /** The shape in a checkpoint where it is neither this one nor, of a linear kernel, this one reversed. */
  readonly stored?: readonly number[];
  /** One row of the checkpoint's tensor belongs to each label. */
  readonly perLabel?: true;
  /** Kept for the checkpoint's sake: nothing here reads it, so it is never trained. */
  readonly unused?: true;
}

/** The weights a layer has, by name: the part of the checkpoint's name after the layer's. */
export type WeightSpecs<Name extends string> = Readonly<Record<Name, WeightSpec>>;

/** Weights as read for one call. */
export type Weights<Name extends string> = Readonly<Record<Name, Tensor>>;

/** Where a layer stands in a model; a trainer finds the layers it instruments by this mark. */
export interface HypetuneMark {
  /** Undefined: it belongs to the layer before it, as the normalization after a pre-norm model's last block. */
  readonly site: 'embedding' | 'hidden' | 'pooler' | 'head' | undefined;
  /** Weights (own names) that a loaded checkpoint did not have. */
  readonly fresh: string[];
  /** Of its input [B, T, H] it reads the first token alone, or makes each token's result of that token alone. */
  readonly reads?: 'first' | 'each';
  /** Called with `firstOnly: true`, it gives what leaves it of the first token alone, [B, 1, H]. */
  readonly firstOnly?: true;
}

/** What every layer of this package is configured by. */
export interface WeightedLayerConfig {
  readonly name: string;
  /** Deviation of the normal distribution that kernels and tables start from. */
  readonly initializerRange: number;
  /** Seed of the starting values and, outside a trainer, of dropout. */
  readonly seed: number;
  /** `zeros`: weights are drawn later or overwritten (default `drawn`). */
  readonly start?: 'drawn' | 'zeros';
}

/** A linear map's kernel and, unless there is none, its bias, by name. */
export function linearSpecs(
  name: string,
  inputs: number,
  outputs: number,
  biased = true,
): WeightSpecs<string> {
  return {
    [`${name}.weight`]: { kind: 'linear', shape: [inputs, outputs] },
    ...(biased ? { [`${name}.bias`]: { kind: 'bias', shape: [outputs] } } : {}),
  };
}

/** A normalization's scale and, unless there is none, its offset, by name. */
export function normSpecs(name: string, size: number, biased = true): WeightSpecs<string> {
  return {
    [`${name}.weight`]: { kind: 'scale', shape: [size] },
    ...(biased ? { [`${name}.bias`]: { kind: 'bias', shape: [size] } } : {}),
  };
}

type Arguments = Record<string, unknown>;

/** A layer whose weights carry a checkpoint's names and are read anew, through their variables, in each call. */
export abstract class WeightedLayer<Name extends string> extends layers.Layer {
  abstract readonly hypetune: HypetuneMark;
  /** The weights this layer has once it is built. */
  abstract readonly weightSpecs: WeightSpecs<Name>;
  private readonly variables = new Map<string, LayerVariable>();
  private readonly settings: Omit<WeightedLayerConfig, 'start'>;
  private calls = 0;

  constructor({ start, ...settings }: WeightedLayerConfig) {
    super({ name: settings.name });
    this.settings = settings;
    if (start === 'zeros') this.setFastWeightInitDuringBuild(true);
  }

  override build(inputShape: Shape | Shape[]): void {
    for (const [weight, { shape, unused }] of Object.entries<WeightSpec>(this.weightSpecs)) {
      const initializer = this.initializerOf(weight as Name);
      const trainable = unused !== true;
      const variable = this.addWeight(weight, [...shape], 'float32', initializer, undefined, trainable);
      this.variables.set(weight, variable);
    }
    super.build(inputShape);
  }

  /** Gives a weight the values that it starts from. */
  draw(weight: Name): void {
    const { shape } = this.weightSpecs[weight];
    tidy(() => {
      this.variables.get(weight)!.write(this.initializerOf(weight).apply([...shape], 'float32'));
    });
  }

  private initializerOf(weight: Name): Initializer {
    const { name, initializerRange, seed } = this.settings;
    const key = foldIn(seedKey(seed), 'initialize', name, weight);
    return keyedInitializer(STARTS[this.weightSpecs[weight].kind], initializerRange, key);
  }

  override call(inputs: Tensor | Tensor[], kwargs: Arguments): Tensor {
    return tidy(() => {
      this.invokeCallHook(inputs, kwargs);
      const dropouts = dropoutsOf(this.name, kwargs.training === true, this.settings.seed, this.calls++);
      return this.forward(Array.isArray(inputs) ? inputs : [inputs], dropouts, kwargs.firstOnly === true);
    });
  }

  /** What `loadLayersModel` calls; it has rewritten the texts of a configuration into camel case, but for those under `name`. */
  static override fromConfig<T extends serialization.Serializable>(
    layer: serialization.SerializableConstructor<T>,
    config: serialization.ConfigDict,
  ): T {
    const { exact } = config as unknown as { exact: { name: string } };
    return new layer(JSON.parse(exact.name) as serialization.ConfigDict);
  }

  override getConfig(): serialization.ConfigDict {
    return { ...super.getConfig(), ...this.settings, exact: { name: JSON.stringify(this.settings) } };
  }

  /** The layer's result, of the first token alone if it is asked for and the mark says that it can be; runs inside a tidy. */
  protected abstract forward(inputs: readonly Tensor[], dropouts: Dropouts, firstOnly: boolean): Tensor;

  /** The current value of one weight. */
  protected readWeight(name: Name): Tensor {
    const variable = this.variables.get(name);
    if (!variable) throw new Error(`${this.name}: the weight "${name}" is read before the layer is built`);
    return variable.read();
  }

  /** The current values of all weights. */
  protected readWeights(): Weights<Name> {
    const names = Object.keys(this.weightSpecs) as Name[];
    return Object.fromEntries(names.map((name) => [name, this.readWeight(name)])) as Weights<Name>;
  }
}
