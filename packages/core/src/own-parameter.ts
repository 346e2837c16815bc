import * as tf from '@tensorflow/tfjs-core';
import { foldIn, type Key } from '@hypetune/ops';
import { HypetuneError } from './errors.js';
import type { Parameter, ParameterInfo, ParameterRole } from './parameters.js';
import type { Pass } from './pass.js';
import type { Site } from './sites.js';

/** How a plugin's own parameter is trained. */
export interface OwnParameterOptions {
  /** Whether weight decay acts on it. Default false. */
  readonly decay?: boolean;
  /** Factor of the learning rate. Default 1. */
  readonly rate?: number;
  /** The model's parameter that it belongs to; it is said to stand in the same layer. */
  readonly of?: ParameterInfo;
}

/** A parameter that a plugin added: trained, clipped, saved and resumed with the model's. It lives while `fit` runs. */
export interface OwnParameter {
  readonly info: ParameterInfo;
  /** Its value in a pass, through `afterWeightRead`, on the tape. */
  read(pass: Pass): tf.Tensor;
}

/** Core's side of it. */
export class AddedParameter implements Parameter {
  readonly plugin: string;
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole = 'other';
  readonly site: Site;
  readonly layer: number | undefined;
  readonly owner: string;
  readonly pretrained = false;
  trainable = true;
  readonly decays: boolean;
  readonly rate: number;
  readonly #initial: (key: Key) => tf.Tensor;
  #variable: tf.Variable | undefined;

  /** `initial` gets a key of this parameter alone and returns its first value, of `shape`. */
  constructor(
    plugin: string,
    name: string,
    shape: readonly number[],
    initial: (key: Key) => tf.Tensor,
    { decay = false, rate = 1, of }: OwnParameterOptions,
  ) {
    this.plugin = plugin;
    this.name = `${plugin}/${name}`;
    this.shape = shape;
    this.site = of?.site ?? 'head';
    this.layer = of?.layer;
    this.owner = of?.owner ?? plugin;
    this.decays = decay;
    this.rate = rate;
    this.#initial = initial;
  }

  get variable(): tf.Variable {
    if (this.#variable) return this.#variable;
    throw new HypetuneError(`parameter '${this.name}': it has a value only while fit runs.`);
  }

  create(key: Key): void {
    this.#variable = tf.tidy(() => {
      const value = this.#initial(foldIn(key, this.name));
      if (value.shape.join() !== this.shape.join())
        throw new HypetuneError(
          `parameter '${this.name}': its initial value must have shape [${this.shape.join(', ')}], got [${value.shape.join(', ')}].`,
        );
      return tf.variable(value);
    });
  }

  dispose(): void {
    this.#variable?.dispose();
    this.#variable = undefined;
  }
}
