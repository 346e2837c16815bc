import type { layers, LayersModel, SymbolicTensor } from '@tensorflow/tfjs-layers';
import { isModel } from './sites.js';
import type { ModelOutput } from './tasks/task.js';

type Ending = ModelOutput['ending'];

/** What a model of one output ends in. */
export function outputOf(model: LayersModel): ModelOutput {
  const [output] = model.outputs as [SymbolicTensor];
  const { shape } = output;
  return { shape, units: shape.at(-1) ?? 1, ending: endingOf(output) };
}

/** Layers that leave probabilities what they are, or make means of them. */
const KEEPS =
  /^(Reshape|Flatten|Permute|RepeatVector|Dropout|SpatialDropout1D|Concatenate|Average|AveragePooling1D|GlobalAveragePooling1D)$/;

/** What the layers do at last to the values of a tensor; `outside` answers for the inputs of a nested model. */
function endingOf(
  tensor: SymbolicTensor,
  outside: (input: SymbolicTensor) => Ending = () => undefined,
): Ending {
  const { sourceLayer: layer, nodeIndex, outputTensorIndex = 0 } = tensor;
  if (layer.getClassName() === 'InputLayer') return outside(tensor);
  const { inputTensors } = layer.inboundNodes[nodeIndex]!;
  const entering = (place: number): Ending => endingOf(inputTensors[place]!, outside);
  const inner = layer.getClassName() === 'TimeDistributed' ? wrappedBy(layer) : layer;
  if (isModel(inner))
    return endingOf(inner.outputs[outputTensorIndex]!, (input) =>
      entering(inner === layer ? inner.inputs.indexOf(input) : 0),
    );
  const { activation } = inner.getConfig();
  if (inner.getClassName() === 'Softmax') return 'softmax';
  if (activation === 'softmax' || activation === 'sigmoid') return activation;
  const keeps =
    KEEPS.test(inner.getClassName()) || (inner.getClassName() === 'Activation' && activation === 'linear');
  if (!keeps) return undefined;
  const [first, ...others] = inputTensors.map((_, place) => entering(place));
  if (others.some((ending) => ending !== first)) return 'mixed';
  return first === 'softmax' && !keepsLastAxis(tensor, inputTensors[0]!) ? 'mixed' : first;
}

/** Whether what stood beside each other on the last axis still does, and nothing else: parts of softmaxes, or several, are none. */
function keepsLastAxis({ sourceLayer, shape }: SymbolicTensor, input: SymbolicTensor): boolean {
  const { dims } = sourceLayer.getConfig() as { readonly dims?: readonly number[] };
  return shape.at(-1) === input.shape.at(-1) && (dims === undefined || dims.at(-1) === dims.length);
}

const wrappedBy = (layer: layers.Layer): layers.Layer => (layer as unknown as { layer: layers.Layer }).layer;
