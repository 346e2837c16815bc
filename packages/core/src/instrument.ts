import * as tf from '@tensorflow/tfjs-core';
import { type DrawScope, dropout, foldIn, withAttentionSeams, withDraws } from '@hypetune/ops';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HypetuneError } from './errors.js';
import { keepForGradient } from './keeping.js';
import { offTape } from './math/tape.js';
import type { TrainerHooks } from './hooks.js';
import type { ModelParameter, Parameter } from './parameters.js';
import type { LayerInfo, Pass } from './pass.js';
import type { DropoutRates } from './options.js';
import { declaredPenalties } from './penalties.js';
import {
  everyLayer,
  firstOnlyLayer,
  inputNames,
  isModel,
  layerSites,
  ownLayers,
  tokenTable,
  type AnyLayer,
} from './sites.js';
import { recomputed } from './recompute.js';
import { scopedRandom } from './scoped-random.js';
import { callTaps, isTapped, tapsOf } from './taps.js';

type DropoutKind = keyof DropoutRates;

type Call = (inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) => tf.Tensor | tf.Tensor[];

/** An embeddings layer that looks tokens up through a method of its own. */
interface TokenTable {
  tokenEmbedding?: (ids: tf.Tensor) => tf.Tensor;
}

/** How one run of the model is to be done. */
export interface RunOptions {
  /** Dropout rates that replace the model's. */
  readonly dropout: DropoutRates;
  /** Call the taps of these plugins alone; of all unless given. */
  readonly plugins?: ReadonlySet<string>;
  /** Let BatchNormalization and the like write their moving statistics. */
  readonly writes?: boolean;
}

/** What is read while a layer is computed that will be computed again. */
interface WeightReading {
  /** The values to differentiate by. */
  readonly values: Set<tf.Tensor>;
  /** Records a computation for the gradient: the layer itself is not. */
  readonly onTape: <T>(f: () => T) => T;
}

/** One run of the model, while it lasts. */
interface ModelRun {
  readonly pass: Pass;
  readonly options: RunOptions;
  readonly draws: DrawScope;
  /** Attentions whose taps were called. */
  attentions: number;
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
  /** Path of the layer that looks tokens up in a table; undefined where none does. */
  readonly tokenTable: string | undefined;
  readonly hasDropout: boolean;
  /** Layers that are not ours whose dropout has no rate that could be overridden: recurrent ones, dropout of whole features, wrapped dropout. */
  readonly ownDropout: readonly string[];
  /** Whether a row's result depends on the other rows of its batch: rows that only fill a batch would then count. */
  readonly mixesRows: boolean;
  /** What the layers' own regularizers give. */
  readonly penalties: () => tf.Scalar[];
  readonly #hooks: TrainerHooks;
  readonly #recompute: boolean;
  readonly #parameters: readonly ModelParameter[];
  readonly #hidden: ReadonlyMap<AnyLayer, LayerInfo>;
  /** The layer that looks the tokens up. */
  readonly #table: AnyLayer | undefined;
  /** The last layer, where the head reads nothing but the first token. */
  readonly #firstOnly: AnyLayer | undefined;
  readonly #restores: (() => void)[] = [];
  /** The layers that draw at random by their own rates. */
  readonly #drawing: readonly AnyLayer[];
  /** Kinds of dropout whose rate some layer asked for. */
  readonly #dropped = new Set<DropoutKind>();
  #run: ModelRun | undefined;
  #reads = new Map<Parameter, tf.Tensor>();
  #reading: WeightReading | undefined;

  constructor(
    model: LayersModel,
    parameters: readonly ModelParameter[],
    hooks: TrainerHooks,
    paths?: readonly string[],
    recompute = false,
  ) {
    this.model = model;
    this.#recompute = recompute;
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
    this.#firstOnly = firstOnlyLayer(model);
    this.#table = tokenTable(model);
    this.tokenTable = sites.find(({ layer }) => layer === this.#table)?.path;
    this.mixesRows = ownLayers(model).some((layer) => layer.getClassName() === 'BatchNormalization');
    this.penalties = declaredPenalties(model);
    this.#drawing = sites.map(({ layer }) => layer).filter(draws);
    this.hasDropout = this.#drawing.length > 0;
    this.ownDropout = sites
      .filter(({ layer }) => !layer.hypetune && !takesRate(layer) && drops(layer))
      .map(({ path }) => path);
  }

  /** Whether some layer looks tokens up in a table. */
  get hasTokenTable(): boolean {
    return this.#table !== undefined;
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
    const names = inputNames(this.model);
    if (inputs.length !== names.length)
      throw new HypetuneError(
        `trainer: the model has ${names.length} inputs ('${names.join("', '")}'), the data set gives ${inputs.length}; ` +
          `give one tensor for each, in this order.`,
      );
    const outerReads = this.#reads;
    this.#reads = new Map();
    const outer = this.#run;
    const rate = (kind: DropoutKind, declared: number): number => {
      this.#dropped.add(kind);
      return options.dropout[kind] ?? declared;
    };
    const draws = { key: foldIn(pass.key, 'dropout'), training: pass.training, rate };
    this.#run = { pass, options, draws, visits: new Map(), attentions: 0 };
    try {
      const given =
        this.hasTokenTable || inputs[0]?.dtype !== 'float32'
          ? [...inputs]
          : [this.#embedded(inputs[0]), ...inputs.slice(1)];
      const output = withDraws(draws, () =>
        this.model.apply(given.length === 1 ? given[0]! : given, { training: pass.training }),
      );
      this.#checkAttention(this.#run);
      return (Array.isArray(output) ? output[0] : output) as tf.Tensor;
    } finally {
      this.#run = outer;
      this.#reads = outerReads;
    }
  }

  /** Whether anything draws at random in training where these rates stand in the place of the layers' own. */
  drawsUnder(rates: DropoutRates): boolean {
    if (rates.hidden || rates.attention) return true;
    return this.#drawing.some((layer) => {
      if (!layer.hypetune && !takesRate(layer)) return true;
      const config = layer.getConfig();
      return STRENGTHS.some(
        (name) =>
          Number(config[name]) > 0 && rates[name === 'attentionDropout' ? 'attention' : 'hidden'] !== 0,
      );
    });
  }

  /** Kinds of dropout that the rates turn on and no layer has; known once the model has run in training. */
  idleDropout(rates: DropoutRates): DropoutKind[] {
    return (['hidden', 'attention'] as const).filter((kind) => rates[kind] && !this.#dropped.has(kind));
  }

  /** Refuses taps of attention on a model in which none was called. */
  #checkAttention({ attentions, options }: ModelRun): void {
    const used = [this.#hooks.afterAttentionScores, this.#hooks.afterAttention].filter((hook) =>
      isTapped(hook, options.plugins),
    );
    if (used.length === 0 || attentions > 0) return;
    throw new HypetuneError(
      `${used.flatMap((hook) => tapsOf(hook).map(({ name }) => name)).join(', ')}: the model's layers have no attention to act on; drop the plugin or the option.`,
    );
  }

  #wrapLayer(layer: AnyLayer, place: number): void {
    const target = layer as AnyLayer & TokenTable;
    const given = target.call.bind(target) as Call;
    const info = this.#hidden.get(layer);
    const original = withoutMasks(layer, withoutSeeds(layer, given));
    const isTable = layer === this.#table;
    if (isTable && target.tokenEmbedding) {
      const lookUp = target.tokenEmbedding.bind(target);
      this.#replace(target, 'tokenEmbedding', (ids: tf.Tensor) => this.#embedded(lookUp(ids)));
    }
    const givesVectors = isTable && !target.tokenEmbedding;
    const call: Call = (inputs, kwargs) => {
      const run = this.#run;
      if (!run) return given(inputs, kwargs);
      const visit = run.visits.get(layer) ?? 0;
      run.visits.set(layer, visit + 1);
      // Any layer may draw, a user's own too, and does not say so.
      const inner: Call = (x, options) => callKeyed(layer, [place, visit], original, x, options, run);
      if (info) return this.#callHidden({ ...info, visit }, layer, inner, inputs, kwargs, run);
      const output = inner(inputs, kwargs);
      return givesVectors ? this.#embedded(output as tf.Tensor) : output;
    };
    this.#replace(target, 'call', call);
  }

  #embedded(vectors: tf.Tensor): tf.Tensor {
    const run = this.#run;
    const { afterEmbedding } = this.#hooks;
    return run && isTapped(afterEmbedding)
      ? callTaps(afterEmbedding, run.options.plugins, vectors, run.pass)
      : vectors;
  }

  #callHidden(
    info: LayerInfo,
    layer: AnyLayer,
    inner: Call,
    inputs: tf.Tensor | tf.Tensor[],
    kwargs: Record<string, unknown>,
    run: ModelRun,
  ): tf.Tensor | tf.Tensor[] {
    const { beforeLayerForward, afterLayerForward } = this.#hooks;
    const through = (hook: typeof beforeLayerForward, hidden: tf.Tensor): tf.Tensor =>
      callTaps(hook, run.options.plugins, hidden, info, run.pass);
    const entering = isTapped(beforeLayerForward)
      ? mapFirst(inputs, (hidden) => through(beforeLayerForward, hidden))
      : inputs;
    const asked = this.#isFirstOnly(layer) ? { ...kwargs, firstOnly: true } : kwargs;
    const attending = (x: tf.Tensor | tf.Tensor[]): tf.Tensor | tf.Tensor[] =>
      this.#withAttention(info, run, () => inner(x, asked));
    // What the last layer computes is needed at once when gradients are taken: keeping it costs nothing.
    const output =
      this.#recompute &&
      run.pass.training &&
      info.index < info.count - 1 &&
      [entering].flat()[0]!.dtype === 'float32'
        ? this.#callTwice(layer, attending, entering)
        : attending(entering);
    return isTapped(afterLayerForward)
      ? mapFirst(output, (hidden) => through(afterLayerForward, hidden))
      : output;
  }

  /** Whether a layer need not compute what only a tap would see: all tokens but the first. */
  #isFirstOnly(layer: AnyLayer): boolean {
    const { afterAttentionScores, afterAttention, afterLayerForward } = this.#hooks;
    const seeing = [afterAttentionScores, afterAttention, afterLayerForward];
    return layer === this.#firstOnly && !seeing.some((hook) => isTapped(hook));
  }

  /** Calls a layer now and, in the same pass with the same draws, when its gradient is taken. */
  #callTwice(
    layer: AnyLayer,
    call: (inputs: tf.Tensor | tf.Tensor[]) => tf.Tensor | tf.Tensor[],
    inputs: tf.Tensor | tf.Tensor[],
  ): tf.Tensor {
    const run = this.#run!;
    const reads = this.#reads;
    const once = (given: readonly tf.Tensor[], own: ModelRun, reading?: WeightReading): tf.Tensor => {
      const [outerRun, outerReads, outerReading] = [this.#run, this.#reads, this.#reading];
      [this.#run, this.#reads, this.#reading] = [own, reads, reading];
      try {
        const output = withDraws(run.draws, () => call(given.length === 1 ? given[0]! : [...given]));
        if (!Array.isArray(output)) return output;
        if (output.length === 1) return output[0]!;
        throw new HypetuneError(
          `trainer: recompute is for hidden layers with one output, '${layer.name}' has ${output.length}; name others in hiddenLayers.`,
        );
      } finally {
        [this.#run, this.#reads, this.#reading] = [outerRun, outerReads, outerReading];
      }
    };
    const given = [inputs].flat();
    const values = new Set<tf.Tensor>();
    const value = offTape((onTape) => tf.tidy(() => once(given, run, { values, onTape })));
    const again = { ...run, options: { ...run.options, writes: false } };
    return recomputed(value, (saved) => once(saved, again), given, [...values]);
  }

  /** Lets the attention inside a layer be seen. */
  #withAttention<T>(info: LayerInfo, { pass, options: { plugins } }: ModelRun, f: () => T): T {
    const { afterAttentionScores, afterAttention } = this.#hooks;
    const scores = isTapped(afterAttentionScores, plugins);
    if (!scores && !isTapped(afterAttention, plugins)) return f();
    return withAttentionSeams(
      {
        ...(scores && { scores: (value) => callTaps(afterAttentionScores, plugins, value, info, pass) }),
        context: (value) => {
          this.#run!.attentions += 1;
          return callTaps(afterAttention, plugins, value, info, pass);
        },
      },
      f,
    );
  }

  /** A parameter's value in the pass that runs, through `afterWeightRead`, once a pass. */
  read(parameter: Parameter, pass: Pass): tf.Tensor {
    const reading = this.#reading;
    // What taps read to make the value is differentiated through the value.
    this.#reading = undefined;
    try {
      const make = (): tf.Tensor => this.#readThroughTaps(parameter, pass);
      return this.#noted(parameter, reading ? reading.onTape(make) : make(), reading);
    } finally {
      this.#reading = reading;
    }
  }

  #readThroughTaps(parameter: Parameter, pass: Pass): tf.Tensor {
    const { afterWeightRead } = this.#hooks;
    let value = this.#reads.get(parameter);
    if (!value) {
      value = callTaps<tf.Tensor, [Parameter, Pass]>(
        afterWeightRead,
        this.#run?.options.plugins,
        parameter.variable,
        parameter,
        pass,
      );
      // A layer reads inside its own tidy; the value must outlive it, to be shared and to be differentiated. One that is
      // kept by somebody else is theirs to dispose.
      if (value !== parameter.variable) value = keepForGradient(value.kept ? tf.clone(value) : value);
      this.#reads.set(parameter, value);
    }
    return value;
  }

  /** A value that was read, known to the layer that will be computed again; a frozen weight as it is has no gradient. */
  #noted({ variable }: Parameter, value: tf.Tensor, reading: WeightReading | undefined): tf.Tensor {
    if (value !== variable || variable.trainable) reading?.values.add(value);
    return value;
  }

  #wrapWeight(parameter: ModelParameter): void {
    const { weight, variable } = parameter;
    const { afterWeightRead } = this.#hooks;
    this.#replace(weight, 'read', () => {
      const run = this.#run;
      if (!run) return variable;
      if (!isTapped(afterWeightRead, run.options.plugins))
        return this.#noted(parameter, variable, this.#reading);
      return this.read(parameter, run.pass);
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

/** Runs a layer, what it draws keyed by its place (generated names differ): dropout by key, any other with `Math.random` replaced for the time of the call. */
function callKeyed(
  layer: AnyLayer,
  labels: number[],
  original: Call,
  inputs: tf.Tensor | tf.Tensor[],
  kwargs: Record<string, unknown>,
  { pass, draws }: ModelRun,
): tf.Tensor | tf.Tensor[] {
  const key = foldIn(pass.key, 'dropout', ...labels);
  if (!pass.training || !takesRate(layer)) return scopedRandom(key, () => original(inputs, kwargs));
  const rate = draws.rate('hidden', layer.rate);
  return dropout(Array.isArray(inputs) ? inputs[0]! : inputs, rate, key);
}

/** A layer's call, during which dropout of tfjs that the layer is or holds has no seed of its own: with one it drops the same numbers at every step. */
function withoutSeeds(layer: AnyLayer, call: Call): Call {
  const seeded = everyLayer(layer).filter(
    (each): each is AnyLayer & { seed: unknown } =>
      DROPOUT.test(each.getClassName()) && 'seed' in each && each.seed !== undefined,
  );
  if (seeded.length === 0) return call;
  return (inputs, kwargs) => {
    const seeds = seeded.map(({ seed }) => seed);
    for (const each of seeded) each.seed = undefined;
    try {
      return call(inputs, kwargs);
    } finally {
      for (const [place, each] of seeded.entries()) each.seed = seeds[place];
    }
  };
}

/** What a recurrent layer of tfjs keeps of its dropout in a cell, for all steps of a row. */
const MASKS = ['dropoutMask', 'recurrentDropoutMask'] as const;
type CellMasks = Partial<Record<(typeof MASKS)[number], tf.Tensor | tf.Tensor[] | null>>;

/** A layer's call, before and after which its cells keep no mask: `layers.rnn` of tfjs-layers 4.22 would use that of the first call, made for training or not, ever after. */
function withoutMasks(layer: AnyLayer, call: Call): Call {
  const cells = everyLayer(layer).filter((each): each is AnyLayer & CellMasks =>
    each.getClassName().endsWith('Cell'),
  );
  if (cells.length === 0) return call;
  const clear = (): void => {
    for (const cell of cells) {
      for (const name of MASKS) {
        if (cell[name] == null) continue;
        tf.dispose(cell[name]);
        cell[name] = null;
      }
    }
  };
  return (inputs, kwargs) => {
    clear();
    try {
      return call(inputs, kwargs);
    } finally {
      clear();
    }
  };
}

function mapFirst<T extends tf.Tensor | tf.Tensor[]>(values: T, f: (first: tf.Tensor) => tf.Tensor): T {
  return (Array.isArray(values) ? [f(values[0]!), ...values.slice(1)] : f(values)) as T;
}

const DROPOUT = /^(Dropout|SpatialDropout1D)$/;
const RATES = ['rate', 'dropout', 'recurrentDropout', 'hiddenDropout', 'attentionDropout'];
const STRENGTHS = [...RATES, 'stddev'];

/** Whether a layer, or one that it is made of, has one of these in its configuration, above 0. */
const hasAny = (layer: AnyLayer, names: readonly string[]): boolean =>
  everyLayer(layer).some((each) => {
    if (isModel(each)) return false;
    const config = each.getConfig();
    return names.some((name) => Number(config[name]) > 0);
  });

/** Whether a layer draws in training. */
const draws = (layer: AnyLayer): boolean => hasAny(layer, STRENGTHS);

/** Whether a layer has dropout. */
const drops = (layer: AnyLayer): boolean => hasAny(layer, RATES);

/** Whether a layer is dropout as core draws it, by a rate that may be set, also where its own is 0. */
const takesRate = (layer: AnyLayer): layer is AnyLayer & { readonly rate: number } =>
  layer.getClassName() === 'Dropout' && !(layer as { noiseShape?: number[] }).noiseShape;

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
