import type { LayerVariable, LayersModel } from '@tensorflow/tfjs-layers';
import type { Tensor, Variable } from '@tensorflow/tfjs-core';
import { HypetuneError } from './errors.js';
import { layerSites, type AnyLayer, type Site } from './sites.js';

/** What kind of weight it is. `norm` and `bias` get no weight decay. */
export type ParameterRole = 'embedding' | 'kernel' | 'bias' | 'norm' | 'other';

/** One weight of the model, as hooks and plugins see it. */
export interface ParameterInfo {
  /** Unique; for a model of `@hypetune/models` the Hugging Face name, `bert.encoder.layer.0.attention.self.query.weight`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly role: ParameterRole;
  readonly site: Site;
  /** Index of the hidden layer it belongs to, 0 nearest to the input; undefined outside hidden layers. */
  readonly layer: number | undefined;
  /** Path of the layer that owns it. */
  readonly owner: string;
  /** Whether its value came from pre-training; false for the new head. */
  readonly pretrained: boolean;
  /** Whether this run trains it. */
  readonly trainable: boolean;
}

/** A parameter with its values; core's own. */
export interface Parameter extends ParameterInfo {
  trainable: boolean;
  readonly variable: Variable;
  /** Whether weight decay acts on it. */
  readonly decays: boolean;
  /** Factor of its learning rate. */
  readonly rate: number;
  /** What its layer wants of its values after every update (`kernelConstraint` and the like). */
  readonly constraint?: ((value: Tensor) => Tensor) | undefined;
}

/** A weight of the model itself, with its place there. */
export interface ModelParameter extends Parameter {
  readonly weight: LayerVariable;
}

/** The variable behind a tfjs layer weight. */
export function variableOf(weight: LayerVariable): Variable {
  return (weight as unknown as { val: Variable }).val;
}

function constraintOf({ constraint }: LayerVariable): Parameter['constraint'] {
  return (constraint as typeof constraint | null) ? (value) => constraint.apply(value) : undefined;
}

/**
 * Every weight of a model, in the model's order. A weight shared by several layers appears once, under its first owner.
 * Throws when two weights bear one name.
 */
export function listParameters(model: LayersModel): ModelParameter[] {
  const parameters: ModelParameter[] = [];
  const seen = new Set<LayerVariable>();
  const names = new Set<string>();
  let hidden = -1;
  let site: Site = 'embedding';
  for (const entry of layerSites(model)) {
    if (entry.site === 'hidden') hidden += 1;
    site = entry.site ?? (site === 'embedding' && hidden < 0 ? 'embedding' : site);
    const frozen = new Set(entry.layer.weights.filter((weight) => !weight.trainable));
    for (const weight of entry.layer.weights) {
      if (seen.has(weight)) continue;
      seen.add(weight);
      const local = localName(weight, entry.layer);
      const name = `${entry.key}.${local}`;
      if (names.has(name))
        throw new HypetuneError(`model: two weights are named '${name}'; give the layers distinct names.`);
      names.add(name);
      const role = roleOf(name, weight, entry.layer, site);
      parameters.push({
        name,
        shape: weight.shape as number[],
        role,
        // Biases, normalization weights and other vectors are not decayed.
        decays: role === 'kernel' || role === 'embedding',
        rate: 1,
        site,
        layer: site === 'hidden' && hidden >= 0 ? hidden : undefined,
        owner: entry.path,
        pretrained: site !== 'head' && !entry.layer.hypetune?.fresh?.includes(local),
        trainable: entry.layer.trainable && !frozen.has(weight),
        weight,
        variable: variableOf(weight),
        constraint: constraintOf(weight),
      });
    }
  }
  return parameters;
}

function localName(weight: LayerVariable, layer: AnyLayer): string {
  const { originalName } = weight;
  return originalName.startsWith(`${layer.name}/`) ? originalName.slice(layer.name.length + 1) : originalName;
}

/** Names that `transformers` gives normalizations: LayerNorm, final_norm, norm, input_layernorm ... */
const NORM = /layer_?norm|(^|[._])norm\.(weight|bias)$|(^|[./])(gamma|beta)$/i;

function roleOf(name: string, weight: LayerVariable, layer: AnyLayer, site: Site): ParameterRole {
  if (/Normalization$/.test(layer.getClassName()) || NORM.test(name)) return 'norm';
  if (/bias(\.weight)?$/.test(name)) return 'bias';
  if (weight.shape.length < 2) return 'other';
  return site === 'embedding' &&
    (layer.getClassName() === 'Embedding' || /(embeddings?|embed_tokens)(\.weight)?$/.test(name))
    ? 'embedding'
    : 'kernel';
}
