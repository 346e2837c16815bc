import type { Scalar } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { isModel, layersIn, ownLayers, type AnyLayer } from './sites.js';

/**
 * The penalties that a model's layers declare for their weights (`kernelRegularizer` and the like), each once, to be computed where they are
 * needed. `calculateLosses` of tfjs-layers 4.22 counts a shared layer's once a call and leaves out those of recurrent layers.
 */
export function declaredPenalties(model: LayersModel): () => Scalar[] {
  const penalties = ownLayers(model).map(penaltiesOf);
  return () => penalties.flatMap((compute) => compute());
}

/** A layer's own: a wrapper names its layer's as well. */
function penaltiesOf(layer: AnyLayer): () => Scalar[] {
  const inner = layersIn(layer);
  if (inner.length === 0 || computesItsOwn(layer)) return () => layer.calculateLosses();
  return () => {
    const theirs = new Set(inner.flatMap(({ losses }) => losses));
    return layer.losses.filter((penalty) => !theirs.has(penalty)).map((penalty) => penalty());
  };
}

/** Whether a layer that is no model has a `calculateLosses` in the place of that which all layers have. */
function computesItsOwn(layer: AnyLayer): boolean {
  let declared = 0;
  for (let at: unknown = layer; at !== null; at = Object.getPrototypeOf(at))
    if (Object.hasOwn(at as object, 'calculateLosses')) declared++;
  return declared > 1 && !isModel(layer);
}
