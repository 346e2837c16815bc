import * as tf from '@tensorflow/tfjs-core';
import type { Key } from '@hypetune/ops';
import { checkDropout, type DropoutRates, type ResolvedOptions } from './options.js';
import { HypetuneError } from './errors.js';
import type { TrainerHooks, WeightMap } from './hooks.js';
import type { Instrument } from './instrument.js';
import { AddedParameter } from './own-parameter.js';
import { outputOf } from './model-output.js';
import type { ModelParameter, Parameter, ParameterInfo } from './parameters.js';
import type { LayerInfo } from './pass.js';
import type { PhaseBoundaries } from './phases.js';
import type { PluginHost, TensorStore } from './plugin.js';
import { inputNames } from './sites.js';
import { copyOf, KeptTensors } from './stores.js';
import type { Task } from './tasks/task.js';

/** What a plugin asks for in its own name. */
type Owned = Pick<
  PluginHost,
  | 'name'
  | 'tensors'
  | 'overrideDropout'
  | 'needsDropout'
  | 'perturbMainPass'
  | 'keepReference'
  | 'addParameter'
  | 'addsNoise'
  | 'addPhases'
  | 'warn'
>;

/** What the plugins of one trainer asked for, and what they may see. */
export class Host implements Omit<PluginHost, keyof Owned> {
  readonly hooks: TrainerHooks;
  readonly task: Task;
  readonly parameters: readonly ModelParameter[];
  /** What plugins added to them. */
  readonly added: AddedParameter[] = [];
  readonly boundaries: PhaseBoundaries[] = [];
  readonly layers: readonly LayerInfo[];
  readonly inputNames: readonly string[];
  readonly outputs: number;
  readonly hasTokenTable: boolean;
  readonly tokenTable: ParameterInfo | undefined;
  readonly hasDropout: boolean;
  readonly peakLearningRate: number;
  /** Who overrides dropout, with what. */
  readonly dropoutOwners: Map<string, DropoutRates> = new Map();
  /** Who decided whether hidden noise acts in the main pass. */
  readonly perturbOwners: Map<string, boolean> = new Map();
  /** How strong the noise of plugins is, by plugin and option. */
  readonly noises: Map<string, number> = new Map();
  /** What plugins have to say where nothing is drawn. */
  readonly #dropoutNeeds = new Map<string, string>();
  /** Names of those whose taps of `afterLoad` gave pre-trained weights other values. */
  readonly changedOnLoad: Set<string> = new Set();
  readonly referenceOwners: Set<string> = new Set();
  /** Copies of the weights after `afterLoad`, by parameter name. */
  readonly references: KeptTensors = new KeptTensors();
  readonly stores: Map<string, KeptTensors> = new Map();
  readonly #warned = new Set<string>();
  readonly #instrument: Instrument;
  readonly #onWarning: (message: string) => void;

  constructor(
    options: ResolvedOptions,
    hooks: TrainerHooks,
    parameters: readonly ModelParameter[],
    instrument: Instrument,
  ) {
    this.hooks = hooks;
    this.task = options.task;
    this.parameters = parameters;
    this.#instrument = instrument;
    this.layers = instrument.layers;
    this.inputNames = inputNames(instrument.model);
    this.outputs = options.task.outputs(outputOf(instrument.model));
    this.hasTokenTable = instrument.hasTokenTable;
    const { tokenTable } = instrument;
    this.tokenTable = parameters.find(({ role, owner }) => role === 'embedding' && owner === tokenTable);
    this.hasDropout = instrument.hasDropout;
    this.peakLearningRate = options.optimizer.learningRate;
    this.#onWarning = options.onWarning;
    if (Object.keys(options.dropout).length > 0) this.#setDropout(options.dropout, 'trainer');
  }

  /** The host as one plugin sees it. */
  for(plugin: string): PluginHost {
    const readAdded = this.#instrument.read.bind(this.#instrument);
    const owned: Owned = {
      name: plugin,
      tensors: this.tensors(plugin),
      overrideDropout: (rates) => {
        this.#overrideDropout(rates, plugin);
      },
      needsDropout: (message) => {
        this.#dropoutNeeds.set(plugin, message);
      },
      perturbMainPass: (perturb) => {
        this.perturbOwners.set(plugin, perturb);
      },
      keepReference: () => {
        this.referenceOwners.add(plugin);
      },
      addParameter: (name, shape, initial, options = {}) => {
        const parameter = new AddedParameter(plugin, name, shape, initial, options);
        if (this.added.some((other) => other.name === parameter.name))
          throw new HypetuneError(`${plugin}: it added a parameter '${name}' before; name each once.`);
        this.added.push(parameter);
        return { info: parameter, read: (pass) => readAdded(parameter, pass) };
      },
      addsNoise: (name, strength) => {
        this.#addsNoise(plugin, name, strength);
      },
      addPhases: (boundaries) => {
        this.boundaries.push(boundaries);
      },
      warn: (message) => {
        this.warn(plugin, message);
      },
    };
    const { hooks, task, parameters, layers, inputNames, outputs, hasTokenTable, hasDropout } = this;
    const { peakLearningRate, tokenTable } = this;
    return {
      ...{ hooks, task, parameters, layers, inputNames, outputs, hasTokenTable, hasDropout },
      ...{ peakLearningRate, tokenTable },
      ...owned,
      reference: (parameter) => this.reference(parameter),
      value: (parameter) => this.value(parameter),
    };
  }

  #addsNoise(plugin: string, name: string, strength: number): void {
    if (strength <= 0) return;
    this.noises.set(`${plugin}: ${name}`, strength);
    const bits = tf.backend().floatPrecision();
    if (strength < (bits === 16 ? 2 ** -11 : 2 ** -24))
      this.warn(
        plugin,
        `${name} ${strength} is below half the spacing of ${bits}-bit floats near 1; raise it.`,
      );
  }

  /** The model's parameters and what plugins added. */
  get allParameters(): readonly Parameter[] {
    return [...this.parameters, ...this.added];
  }

  /** The dropout rates in force. */
  get dropout(): DropoutRates {
    return Object.assign({}, ...this.dropoutOwners.values()) as DropoutRates;
  }

  noteLoaded(plugin: string, before: WeightMap, after: WeightMap): void {
    const changed = this.parameters.some(
      ({ name, pretrained }) => pretrained && after.get(name) !== before.get(name),
    );
    if (changed) this.changedOnLoad.add(plugin);
  }

  /** Says what plugins miss where nothing is drawn at random, once all of them have set their rates. */
  checkDropout(): void {
    if (this.#instrument.drawsUnder(this.dropout)) return;
    for (const [plugin, message] of this.#dropoutNeeds) this.warn(plugin, message);
  }

  /** Whether hidden noise acts in the main pass. */
  get perturbMain(): boolean {
    return [...this.perturbOwners.values()].every(Boolean);
  }

  #overrideDropout(rates: DropoutRates, plugin: string): void {
    checkDropout(plugin, rates);
    for (const [owner, others] of this.dropoutOwners)
      for (const kind of ['hidden', 'attention'] as const)
        if (rates[kind] !== undefined && others[kind] !== undefined && rates[kind] !== others[kind])
          throw new HypetuneError(
            `trainer: ${owner} sets ${kind} dropout to ${others[kind]} and ${plugin} to ${rates[kind]}; agree on one.`,
          );
    this.#setDropout(rates, plugin);
  }

  #setDropout(rates: DropoutRates, owner: string): void {
    this.dropoutOwners.set(owner, rates);
    const { ownDropout } = this.#instrument;
    if (rates.hidden !== undefined && ownDropout.length > 0)
      this.warn(
        owner,
        `the rate of hidden dropout does not reach ${ownDropout.join(', ')}: what draws there has a rate of its own; build the model with the one that is meant.`,
      );
  }

  reference(parameter: ParameterInfo): tf.Tensor | undefined {
    if (this.referenceOwners.size === 0)
      throw new HypetuneError(`trainer: no reference weights are kept; call keepReference in apply.`);
    return this.references.get(parameter.name);
  }

  value(parameter: ParameterInfo): tf.Tensor {
    return (parameter as Parameter).variable;
  }

  /** A plugin's tensors. */
  tensors(plugin: string): TensorStore {
    let store = this.stores.get(plugin);
    if (!store) this.stores.set(plugin, (store = new KeptTensors()));
    return store;
  }

  /** Says something of a plugin's once. */
  warn(plugin: string, message: string): void {
    const line = `${plugin}: ${message}`;
    if (this.#warned.has(line)) return;
    this.#warned.add(line);
    this.#onWarning(line);
  }

  /** Copies those of the weights that are pre-trained and have no copy yet, if a plugin asked for them. */
  takeReferences(parameters: readonly Parameter[]): void {
    if (this.referenceOwners.size === 0) return;
    for (const { name, pretrained, variable } of parameters)
      // Not a clone: one that shares the variable's memory makes the first step differ from the others, to a compiler.
      if (pretrained && !this.references.get(name)) this.references.set(name, copyOf(variable));
  }

  /** Gives the plugins' own parameters their first values. */
  createAdded(key: Key): void {
    for (const parameter of this.added) parameter.create(key);
  }

  /** Frees every tensor held for the plugins. */
  release(): void {
    this.references.clear();
    for (const store of this.stores.values()) store.clear();
    for (const parameter of this.added) parameter.dispose();
  }
}
