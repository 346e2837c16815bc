import type { layers, LayersModel } from '@tensorflow/tfjs-layers';

/** Where a layer stands in a network. */
export type Site = 'embedding' | 'hidden' | 'pooler' | 'head';

/** What a layer may say about itself; core reads it by shape and guesses for layers that say nothing. */
export interface SiteDeclaration {
  readonly hypetune?: {
    /** Undefined: it belongs to the hidden layer before it. */
    readonly site: Site | undefined;
    /** Parameters (local names) that did not come from a checkpoint. */
    readonly fresh?: readonly string[];
    /** Of its input `[rows, length, width]` it reads each row's first token alone, or makes each token's result of that token alone. */
    readonly reads?: 'first' | 'each';
    /** Called with `firstOnly: true`, it gives what leaves it of each row's first token alone, `[rows, 1, width]`. */
    readonly firstOnly?: true;
  };
}

export type AnyLayer = layers.Layer & SiteDeclaration;

export interface LayerSite {
  /** Path through nested models. */
  readonly path: string;
  /** The path with generated names counted anew in this model: the same whatever else the process has built. */
  readonly key: string;
  readonly layer: AnyLayer;
  readonly site: Site;
}

/** The layer of whose result nothing but each row's first token is read, and that can give it alone; undefined where there is none. */
export function firstOnlyLayer(model: LayersModel): AnyLayer | undefined {
  const layer = model.layers.findLast((one: AnyLayer) => one.hypetune?.firstOnly);
  return layer && firstIsRead(layer, model) ? layer : undefined;
}

/** Whether all that read a layer's result read each row's first token alone. */
function firstIsRead(layer: AnyLayer, model: LayersModel): boolean {
  const readers = layer.outboundNodes
    .map(({ outboundLayer }) => outboundLayer as AnyLayer)
    .filter((reader) => model.layers.includes(reader));
  return (
    readers.length > 0 &&
    !model.outputLayers.includes(layer) &&
    readers.every((reader) =>
      reader.hypetune?.reads === 'each' ? firstIsRead(reader, model) : reader.hypetune?.reads === 'first',
    )
  );
}

const PASSIVE =
  /^(Dropout|SpatialDropout|Gaussian|AlphaDropout|.*Normalization|Activation|ReLU|LeakyReLU|PReLU|ELU|ThresholdedReLU|Softmax|Masking|CategoryEncoding|Rescaling)/;

/** Names of a model's inputs, in order: those of its input layers, which tfjs does not number as it does tensors. */
export function inputNames(model: LayersModel): string[] {
  return model.inputs.map(({ sourceLayer }) => sourceLayer.name);
}

/** The layer that looks the tokens up: of several tables the one that a first input enters, else the first. */
export function tokenTable(model: LayersModel): AnyLayer | undefined {
  const tables = [...leaves(model)]
    .map(({ layer }) => layer)
    .filter((layer) => layer.getClassName() === 'Embedding' || 'tokenEmbedding' in layer);
  const firsts = firstInputs(model);
  const readsFirst = ({ inboundNodes }: AnyLayer): boolean =>
    inboundNodes.some(({ inboundLayers }) => inboundLayers.some((layer) => firsts.includes(layer)));
  return tables.find(readsFirst) ?? tables[0];
}

/** The layers by which the first input of a model, and of each model nested in it, enters. */
function firstInputs({ inputs, layers }: LayersModel): AnyLayer[] {
  return [inputs[0]!.sourceLayer, ...layers.flatMap((layer) => (isModel(layer) ? firstInputs(layer) : []))];
}

export function isModel(layer: object): layer is LayersModel {
  return 'layers' in layer && Array.isArray(layer.layers);
}

/**
 * The layers that a model is made of, each once, the inner ones first: not those that a layer only refers to, such as a teacher, whose
 * weights are none of the model's.
 */
export function ownLayers(model: LayersModel): readonly AnyLayer[] {
  const weights = new Set(model.weights);
  return everyLayer(model).filter(
    (layer) => layer.weights.length === 0 || layer.weights.some((weight) => weights.has(weight)),
  );
}

/** A layer or model and every layer that it holds in a property or an array of one, each once, the inner ones first. */
export function everyLayer(outer: AnyLayer): readonly AnyLayer[] {
  const seen = new Set<AnyLayer>();
  const visit = (layer: AnyLayer): AnyLayer[] => {
    if (seen.has(layer)) return [];
    seen.add(layer);
    return [...layersIn(layer).flatMap(visit), layer];
  };
  return visit(outer);
}

/** The layers that a layer holds: a model's, a wrapper's, the cells of a recurrent one. */
export function layersIn(layer: AnyLayer): readonly AnyLayer[] {
  return isModel(layer) ? layer.layers : Object.values(layer).flat().filter(isLayer);
}

function isLayer(value: unknown): value is AnyLayer {
  return typeof value === 'object' && value !== null && 'getClassName' in value && 'inboundNodes' in value;
}

type Leaf = Pick<LayerSite, 'path' | 'key' | 'layer'>;

function* leaves(
  model: LayersModel,
  prefix = '',
  keyPrefix = '',
  counts = new Map<string, number>(),
): Generator<Leaf> {
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    const path = prefix + layer.name;
    const key = keyPrefix + stableName(layer, counts);
    if (isModel(layer)) yield* leaves(layer, `${path}/`, `${key}/`, counts);
    else yield { path, key, layer };
  }
}

/** A given name as it is; one that tfjs generated (`dense_Dense7`, `sequential_7`) with the number of its kind in this model. */
function stableName(layer: AnyLayer, counts: Map<string, number>): string {
  const kind = layer.getClassName();
  const generated = new RegExp(`^(?:\\w+_${kind}|${kind.toLowerCase()}_?)(?=\\d+$)`).exec(layer.name)?.[0];
  if (generated === undefined) return layer.name;
  const count = (counts.get(generated) ?? 0) + 1;
  counts.set(generated, count);
  return `${generated}${count}`;
}

/**
 * Every leaf layer of a model with its site. A declaration wins; else an Embedding is `embedding`, the last layer with
 * weights is the `head`, every other layer that computes with weights of its own is `hidden`. Undefined for the rest
 * (normalization, activations, reshapes), which belong to the hidden layer before them.
 */
export function layerSites(model: LayersModel): (Leaf & { site: Site | undefined })[] {
  const all = [...leaves(model)];
  const computes = (layer: AnyLayer): boolean =>
    layer.weights.length > 0 && !PASSIVE.test(layer.getClassName()) && layer.getClassName() !== 'Embedding';
  const head = all.filter(({ layer }) => !layer.hypetune && computes(layer)).at(-1)?.layer;
  const declares = all.some(({ layer }) => layer.hypetune?.site === 'head');
  return all.map(({ path, key, layer }) => ({
    path,
    key,
    layer,
    site: layer.hypetune
      ? layer.hypetune.site
      : layer.getClassName() === 'Embedding'
        ? 'embedding'
        : !computes(layer)
          ? undefined
          : layer === head && !declares
            ? 'head'
            : 'hidden',
  }));
}
