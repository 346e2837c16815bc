import type { Scalar } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { isModel, type AnyLayer } from './sites.js';

/**
 * The penalties that a model's layers declare for their weights (`kernelRegularizer` and the like), each once, to be computed where they are
 * needed. `calculateLosses` of tfjs-layers 4.22 counts a shared layer's once a call and leaves out those of recurrent layers.
 */
export function declaredPenalties(model: LayersModel): () => Scalar[] {
  const penalties: (() => Scalar[])[] = [];
  const seen = new Set<AnyLayer>();
  const visit = (layer: AnyLayer): void => {
    if (seen.has(layer)) return;
    seen.add(layer);
    const inner = layersIn(layer);
    for (const each of inner) visit(each);
    if (inner.length === 0) penalties.push(() => layer.calculateLosses());
    else {
      // A wrapper names its layer's as its own.
      const theirs = new Set(inner.flatMap(({ losses }) => losses));
      const own = layer.losses.filter((penalty) => !theirs.has(penalty));
      penalties.push(() => own.map((penalty) => penalty()));
    }
  };
  visit(model);
  return () => penalties.flatMap((compute) => compute());
}

/** The layers that a layer is made of: a model's, a wrapper's, the cells of a recurrent one. */
function layersIn(layer: AnyLayer): readonly AnyLayer[] {
  if (isModel(layer)) return layer.layers;
  return Object.values(layer).flat().filter(isLayer);
}

function isLayer(value: unknown): value is AnyLayer {
  return typeof value === 'object' && value !== null && 'getClassName' in value && 'inboundNodes' in value;
}
