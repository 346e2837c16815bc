import type { Scalar } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { everyLayer, layersIn } from './sites.js';

/**
 * The penalties that a model's layers declare for their weights (`kernelRegularizer` and the like), each once, to be computed where they are
 * needed. `calculateLosses` of tfjs-layers 4.22 counts a shared layer's once a call and leaves out those of recurrent layers.
 */
export function declaredPenalties(model: LayersModel): () => Scalar[] {
  const penalties = everyLayer(model).map((layer) => {
    const inner = layersIn(layer);
    if (inner.length === 0) return () => layer.calculateLosses();
    // A wrapper names its layer's as its own.
    const theirs = new Set(inner.flatMap(({ losses }) => losses));
    const own = layer.losses.filter((penalty) => !theirs.has(penalty));
    return () => own.map((penalty) => penalty());
  });
  return () => penalties.flatMap((compute) => compute());
}
