import type { Tensor } from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';
import type { Dataset } from './batch.js';
import type { TrainerHooks } from './hooks.js';
import type { DropoutRates } from './options.js';
import type { OwnParameter, OwnParameterOptions } from './own-parameter.js';
import type { ParameterInfo } from './parameters.js';
import type { LayerInfo } from './pass.js';
import type { PhaseBoundaries } from './phases.js';
import type { Gradients } from './step.js';
import type { Task } from './tasks/task.js';

/**
 * How a plugin stands beside others, reasons by the other's name. `error`: refused at construction. `warn`: said once.
 * `note`: only documented. Core enforces it and knows no plugin's name itself.
 */
export interface PluginPairs {
  readonly error?: Readonly<Record<string, string>>;
  readonly warn?: Readonly<Record<string, string>>;
  readonly note?: Readonly<Record<string, string>>;
}

/** What a plugin says of each other one. */
export function listPairs(
  pairs: PluginPairs = {},
): { with: string; verdict: keyof PluginPairs; reason: string }[] {
  return (['error', 'warn', 'note'] as const).flatMap((verdict) =>
    Object.entries(pairs[verdict] ?? {}).map(([other, reason]) => ({ with: other, verdict, reason })),
  );
}

/** Plain values a plugin needs to resume; tensors belong into `host.tensors`. */
export type PluginState = Readonly<Record<string, number | string | boolean>>;

/** One method. `apply` only taps; a plugin is switched off by its arguments. */
export interface Plugin {
  /** Unique in a trainer; keys the plugin's draws, loss terms and state. */
  readonly name: string;
  readonly pairs?: PluginPairs;
  apply(host: PluginHost): void;
  state?(): PluginState;
  restore?(state: PluginState): void;
}

/** Tensors that outlive a step: core keeps, saves, restores and disposes them. */
export interface TensorStore {
  get(name: string): Tensor | undefined;
  /** Takes the tensor over; the one it replaces is disposed. */
  set(name: string, tensor: Tensor): void;
  names(): string[];
}

/** What a plugin sees of the trainer in `apply`. */
export interface PluginHost {
  /** The plugin's own name, for its taps, draws and loss terms. */
  readonly name: string;
  readonly hooks: TrainerHooks;
  readonly task: Task;
  /** Every parameter of the model, in the model's order. */
  readonly parameters: readonly ParameterInfo[];
  /** The hidden layers, from the input up. */
  readonly layers: readonly LayerInfo[];
  /** Names of the model's inputs, in the order of `batch.inputs`. */
  readonly inputNames: readonly string[];
  /** Classes, labels or targets of the model, as the task counts them. */
  readonly outputs: number;
  /** Whether the model looks tokens up in a table (else `afterEmbedding` sees the float input). */
  readonly hasTokenTable: boolean;
  /** That table, `[tokens, width]`; of several the one whose vectors `afterEmbedding` sees. */
  readonly tokenTable: ParameterInfo | undefined;
  /** Whether any layer of the model draws at random in training (dropout), by its own rate. */
  readonly hasDropout: boolean;
  /** The peak learning rate of the optimizer. */
  readonly peakLearningRate: number;
  /**
   * Says how strong the noise is that the option `name` adds to states near 1. Core warns where the engine's floats swallow it,
   * and `explain()` says what is left of it in bfloat16.
   */
  readonly addsNoise: (name: string, strength: number) => void;
  /** This plugin's tensors. */
  readonly tensors: TensorStore;
  /** Replaces dropout rates while training, shown by `explain()`; two plugins asking for different rates is an error. */
  readonly overrideDropout: (rates: DropoutRates) => void;
  /** Has core warn by this message where nothing is drawn at random in training, whoever overrides which rate. */
  readonly needsDropout: (message: string) => void;
  /** Says whether hidden noise acts in the main pass (default true), shown by `explain()`. */
  readonly perturbMainPass: (perturb: boolean) => void;
  /** Asks core to keep a copy of the weights as they are after `afterLoad`. */
  readonly keepReference: () => void;
  /** That copy of a parameter; undefined for one that was not pre-trained (the new head). Throws if nobody asked. */
  readonly reference: (parameter: ParameterInfo) => Tensor | undefined;
  /** The current value of a parameter, to read only. */
  readonly value: (parameter: ParameterInfo) => Tensor;
  /**
   * Adds a trained parameter, named `plugin/name`: in the optimizer, the clipping, the snapshot, `explain()`. `initial` gets a
   * key of this parameter alone and returns its value at the start of `fit`.
   */
  readonly addParameter: (
    name: string,
    shape: readonly number[],
    initial: (key: Key) => Tensor,
    options?: OwnParameterOptions,
  ) => OwnParameter;
  /** Has `shouldTrain` asked again before these updates, counted from 1. */
  readonly addPhases: (boundaries: PhaseBoundaries) => void;
  /** Says something once. */
  readonly warn: (message: string) => void;
}

/** What the hooks of a whole run see. */
export interface Run {
  readonly seed: number;
  /** Draws of the run that belong to no step. */
  readonly key: Key;
  readonly steps: number;
  /** Updates in a whole epoch. */
  readonly stepsPerEpoch: number;
  readonly epochs: number;
  readonly data: Dataset;
  /** Every parameter that is trained at some time of the run, the plugins' own among them; to make state for, in `onFitStart`. */
  readonly parameters: readonly ParameterInfo[];
  /** True when the run goes on from a snapshot. */
  readonly resumed: boolean;
  /**
   * One pass over the training data with training-mode dropout and no plugin's noise or mixing, only what plugins with
   * parameters of their own make of those; `visit` gets the task loss's gradient of each batch, for each of `parameters`, in
   * a tidy (Child-Tuning-D's Fisher information).
   */
  eachGradient(visit: (gradients: Gradients, batch: number, batches: number) => void): Promise<void>;
}
