import type { layers, LayersModel } from '@tensorflow/tfjs-layers';

/** Where a layer stands in a network. */
export type Site = 'embedding' | 'hidden' | 'pooler' | 'head';

/** What a layer may say about itself; core reads it by shape and guesses for layers that say nothing. */
export interface SiteDeclaration {
  readonly hypetune?: {
    readonly site: Site;
    /** Parameters (local names) that did not come from a checkpoint. */
    readonly fresh?: readonly string[];
  };
}

export type AnyLayer = layers.Layer & SiteDeclaration;

export interface LayerSite {
  /** Path through nested models. */
  readonly path: string;
  readonly layer: AnyLayer;
  readonly site: Site;
}

const PASSIVE =
  /^(Dropout|SpatialDropout|Gaussian|AlphaDropout|.*Normalization|Activation|ReLU|LeakyReLU|PReLU|ELU|ThresholdedReLU|Softmax|Masking|CategoryEncoding|Rescaling)/;

function* leaves(model: LayersModel, prefix: string): Generator<{ path: string; layer: AnyLayer }> {
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') continue;
    const path = prefix + layer.name;
    if ('layers' in layer && Array.isArray(layer.layers))
      yield* leaves(layer as unknown as LayersModel, `${path}/`);
    else yield { path, layer };
  }
}

/**
 * Every leaf layer of a model with its site. A declaration wins; else an Embedding is `embedding`, the last layer with
 * weights is the `head`, every other layer that computes with weights of its own is `hidden`. Undefined for the rest
 * (normalization, activations, reshapes), which belong to the hidden layer before them.
 */
export function layerSites(model: LayersModel): { path: string; layer: AnyLayer; site: Site | undefined }[] {
  const all = [...leaves(model, '')];
  const computes = (layer: AnyLayer): boolean =>
    layer.weights.length > 0 && !PASSIVE.test(layer.getClassName()) && layer.getClassName() !== 'Embedding';
  const head = all.filter(({ layer }) => !layer.hypetune && computes(layer)).at(-1)?.layer;
  const declares = all.some(({ layer }) => layer.hypetune?.site === 'head');
  return all.map(({ path, layer }) => ({
    path,
    layer,
    site:
      layer.hypetune?.site ??
      (layer.getClassName() === 'Embedding'
        ? 'embedding'
        : !computes(layer)
          ? undefined
          : layer === head && !declares
            ? 'head'
            : 'hidden'),
  }));
}
