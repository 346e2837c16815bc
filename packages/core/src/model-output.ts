import type { LayersModel } from '@tensorflow/tfjs-layers';
import { layerSites } from './sites.js';
import type { ModelOutput } from './tasks/task.js';

/** What a model of one output ends in. */
export function outputOf(model: LayersModel): ModelOutput {
  const { shape } = model.outputs[0]!;
  return { shape, units: shape.at(-1) ?? 1, ending: endingOf(model) };
}

function endingOf(model: LayersModel): ModelOutput['ending'] {
  const last = layerSites(model).at(-1)?.layer;
  const config = last?.getConfig();
  if (last?.getClassName() === 'Softmax') return 'softmax';
  return config?.activation === 'softmax' || config?.activation === 'sigmoid' ? config.activation : undefined;
}
