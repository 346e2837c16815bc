import * as tf from '@tensorflow/tfjs-core';
import { dropout, foldIn, withDraws } from '@hypetune/ops';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HypetuneError } from './errors.js';
import type { TrainerHooks } from './hooks.js';
import type { Parameter } from './parameters.js';
import type { LayerInfo, Pass } from './pass.js';
import type { DropoutRates } from './plugin.js';
import { layerSites, type AnyLayer } from './sites.js';
import { scopedRandom } from './scoped-random.js';

type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) => tf.Tensor | tf.Tensor[];

/** An embeddings layer that looks tokens up through a method of its own. */
interface TokenTable {
  tokenEmbedding?: (ids: tf.Tensor) => tf.Tensor;
}

/** How one run of the model is to be done. */
export interface RunOptions {
  /** Dropout rates that replace the model's. */
  readonly dropout: DropoutRates;
  /** Call no hook: only dropout acts. */
  readonly silent?: boolean;
  /** Let BatchNormalization and the like write their moving statistics. */
  readonly writes?: boolean;
}

/** One run of the model, while it lasts. */
interface ModelRun {
  readonly pass: Pass;
  readonly options: RunOptions;
  /** How often each layer fired so far. */
  readonly visits: Map<AnyLayer, number>;
}

const attached = new WeakSet<LayersModel>();

/**
 * Puts the hooks into a model from outside: replaces `call`, `read` and `write` on the instances while attached, and
 * deletes the replacements again. Outside of `run` every replacement is transparent.
 */
export class Instrument {
  readonly model: LayersModel;
  readonly layers: readonly LayerInfo[];
  /** Whether some layer looks tokens up in a table. */
  readonly hasTokenTable: boolean;
  readonly hasDropout: boolean;
  /** Whether a row's result depends on the other rows of its batch: rows that only fill a batch would then count. */
  readonly mixesRows: boolean;
  readonly #hooks: TrainerHooks;
  readonly #parameters: readonly Parameter[];
  readonly #hidden: ReadonlyMap<AnyLayer, LayerInfo>;
  readonly #restores: (() => void)[] = [];
  #run: ModelRun | undefined;
  #reads = new Map<Parameter, tf.Tensor>();

  constructor(
    model: LayersModel,
    parameters: readonly Parameter[],
    hooks: TrainerHooks,
    paths?: readonly string[],
  ) {
    this.model = model;
    this.#hooks = hooks;
    this.#parameters = parameters;
    const sites = layerSites(model);
    const hidden = paths
      ? paths.map((path) => findLayer(sites, path))
      : sites.filter(({ site }) => site === 'hidden');
    this.layers = hidden.map(({ path, layer }, index) => ({
      name: path,
      index,
      count: hidden.length,
      className: layer.getClassName(),
      visit: 0,
    }));
    this.#hidden = new Map(hidden.map(({ layer }, index) => [layer, this.layers[index]!]));
    this.hasTokenTable = sites.some(({ layer }) => isTable(layer));
    this.mixesRows = sites.some(({ layer }) => layer.getClassName() === 'BatchNormalization');
    this.hasDropout = sites.some(({ layer }) => draws(layer));
  }

  /** Whether the replacements are in place. */
  get isAttached(): boolean {
    return this.#restores.length > 0;
  }

  attach(): void {
    if (attached.has(this.model))
      throw new HypetuneError(
        `trainer: the model is being trained by another trainer; wait for its fit to end.`,
      );
    attached.add(this.model);
    this.#restores.push(() => attached.delete(this.model));
    for (const [place, { layer }] of layerSites(this.model).entries()) this.#wrapLayer(layer, place);
    for (const parameter of this.#parameters) this.#wrapWeight(parameter);
  }

  detach(): void {
    for (const restore of this.#restores.splice(0).reverse()) restore();
  }

  /** Runs the model once as `pass` and returns its first output. */
  run(pass: Pass, inputs: readonly tf.Tensor[], options: RunOptions): tf.Tensor {
    const outerReads = this.#reads;
    this.#reads = new Map();
    const outer = this.#run;
    this.#run = { pass, options, visits: new Map() };
    const rate = (kind: 'hidden' | 'attention', declared: number): number =>
      options.dropout[kind] ?? declared;
    const scope = { key: foldIn(pass.key, 'dropout'), training: pass.training, rate };
    try {
      const given =
        this.hasTokenTable ||
        options.silent ||
        !this.#hooks.afterEmbedding.isUsed() ||
        inputs[0]?.dtype !== 'float32'
          ? [...inputs]
          : [this.#hooks.afterEmbedding.call(inputs[0], pass), ...inputs.slice(1)];
      const output = withDraws(scope, () =>
        this.model.apply(given.length === 1 ? given[0]! : given, { training: pass.training }),
      );
      return (Array.isArray(output) ? output[0] : output) as tf.Tensor;
    } finally {
      this.#run = outer;
      this.#reads = outerReads;
    }
  }

  #wrapLayer(layer: AnyLayer, place: number): void {
    const target = layer as AnyLayer & TokenTable;
    const original = target.call.bind(target) as Call;
    const info = this.#hidden.get(layer);
    const random = !layer.hypetune && isRandom(layer);
    if (target.tokenEmbedding) {
      const lookUp = target.tokenEmbedding.bind(target);
      this.#replace(target, 'tokenEmbedding', (ids: tf.Tensor) => this.#embedded(lookUp(ids)));
    }
    if (!info && !random && layer.getClassName() !== 'Embedding') return;
    const call: Call = (inputs, kwargs) => {
      const run = this.#run;
      if (!run) return original(inputs, kwargs);
      const visit = run.visits.get(layer) ?? 0;
      run.visits.set(layer, visit + 1);
      const inner: Call = random
        ? (x, options) => callRandom(layer, [place, visit], original, x, options, run)
        : original;
      if (info && !run.options.silent)
        return this.#callHidden({ ...info, visit }, inner, inputs, kwargs, run.pass);
      const output = inner(inputs, kwargs);
      return layer.getClassName() === 'Embedding' ? this.#embedded(output as tf.Tensor) : output;
    };
    this.#replace(target, 'call', call);
  }

  #embedded(vectors: tf.Tensor): tf.Tensor {
    const run = this.#run;
    return run && !run.options.silent && this.#hooks.afterEmbedding.isUsed()
      ? this.#hooks.afterEmbedding.call(vectors, run.pass)
      : vectors;
  }

  #callHidden(
    info: LayerInfo,
    inner: Call,
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: Record<string, unknown>,
    pass: Pass,
  ): tf.Tensor | tf.Tensor[] {
    const { beforeLayerForward, afterLayerForward } = this.#hooks;
    const entering = beforeLayerForward.isUsed()
      ? mapFirst(inputs, (hidden) => beforeLayerForward.call(hidden, info, pass))
      : inputs;
    const output = inner(entering, kwargs);
    return afterLayerForward.isUsed()
      ? mapFirst(output, (hidden) => afterLayerForward.call(hidden, info, pass))
      : output;
  }

  #wrapWeight(parameter: Parameter): void {
    const { weight, variable } = parameter;
    const { afterWeightRead } = this.#hooks;
    this.#replace(weight, 'read', () => {
      const run = this.#run;
      if (!run || run.options.silent || !afterWeightRead.isUsed()) return variable;
      let value = this.#reads.get(parameter);
      if (!value) {
        value = afterWeightRead.call(variable, parameter, run.pass);
        // A layer reads inside its own tidy; the value must outlive it, to be shared and to be differentiated.
        if (value !== variable) keepForGradient(value);
        this.#reads.set(parameter, value);
      }
      return value;
    });
    if (parameter.trainable) return;
    const write = weight.write.bind(weight);
    this.#replace(weight, 'write', (value: tf.Tensor) =>
      this.#run && !this.#run.options.writes ? weight : write(value),
    );
  }

  #replace<T extends object>(target: T, member: string, replacement: unknown): void {
    Object.defineProperty(target, member, { value: replacement, configurable: true, writable: true });
    this.#restores.push(() => Reflect.deleteProperty(target, member));
  }
}

let keeping: tf.Tensor[] | undefined;

/** Runs `f`; what `keepForGradient` was given in it lives until `f` has returned, whatever tidy it was made in. */
export function keepingForGradient<T>(f: () => T): T {
  const outer = keeping;
  const mine: tf.Tensor[] = (keeping = []);
  try {
    return f();
  } finally {
    keeping = outer;
    for (const tensor of mine) tensor.dispose();
  }
}

/** Whether a `keepingForGradient` is running. */
export function isKeepingForGradient(): boolean {
  return keeping !== undefined;
}

/** Keeps a tensor until the gradient that needs it is taken; it is freed also when something throws. */
export function keepForGradient<T extends tf.Tensor>(tensor: T): T {
  if (!keeping)
    throw new HypetuneError('instrument: weights are read through taps only inside keepingForGradient.');
  keeping.push(tf.keep(tensor));
  return tensor;
}

/** Runs a built-in layer that draws, keyed by its place (generated names differ): dropout by key, any other with `Math.random` replaced for the time of the call. */
function callRandom(
  layer: AnyLayer,
  labels: number[],
  original: Call,
  inputs: tf.Tensor | tf.Tensor[],
  kwargs: Record<string, unknown>,
  { pass, options }: ModelRun,
): tf.Tensor | tf.Tensor[] {
  if (!pass.training) return original(inputs, kwargs);
  const key = foldIn(pass.key, 'dropout', ...labels);
  const { rate, noiseShape } = layer as unknown as { rate: number; noiseShape?: number[] };
  if (layer.getClassName() !== 'Dropout' || noiseShape)
    return scopedRandom(key, () => original(inputs, kwargs));
  return dropout(Array.isArray(inputs) ? inputs[0]! : inputs, options.dropout.hidden ?? rate, key);
}

function mapFirst<T extends tf.Tensor | tf.Tensor[]>(values: T, f: (first: tf.Tensor) => tf.Tensor): T {
  return (Array.isArray(values) ? [f(values[0]!), ...values.slice(1)] : f(values)) as T;
}

const isTable = (layer: AnyLayer): boolean =>
  layer.getClassName() === 'Embedding' || 'tokenEmbedding' in layer;

const BUILT_IN_RANDOM =
  /^(Dropout|SpatialDropout1D|GaussianNoise|GaussianDropout|AlphaDropout|LSTM|GRU|SimpleRNN|RNN|Bidirectional)$/;
const STRENGTHS = ['rate', 'stddev', 'dropout', 'recurrentDropout', 'hiddenDropout', 'attentionDropout'];

/** Whether a layer draws in training: some strength in its configuration is above 0. */
const draws = (layer: AnyLayer): boolean => {
  const config = layer.getConfig();
  return STRENGTHS.some((name) => Number(config[name]) > 0);
};

const isRandom = (layer: AnyLayer): boolean => BUILT_IN_RANDOM.test(layer.getClassName()) && draws(layer);

function findLayer(
  sites: ReturnType<typeof layerSites>,
  path: string,
): ReturnType<typeof layerSites>[number] {
  const found = sites.find((site) => site.path === path);
  if (found) return found;
  throw new HypetuneError(
    `trainer: hiddenLayers names '${path}', which the model has not; it has ${sites.map((s) => `'${s.path}'`).join(', ')}.`,
  );
}
