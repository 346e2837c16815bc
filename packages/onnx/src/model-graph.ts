import type { LayersModel, SymbolicTensor, layers } from '@tensorflow/tfjs-layers';
import type { SharedBlockConfig } from '@hypetune/models/layers';
import { Graph, type Value } from './graph.js';
import { LayerWriter } from './layer-writer.js';
import { LAYERS, type WriteLayer } from './layers.js';
import type { Precision } from './precision.js';

/** A graph whose inputs, int64 [batch, sequence], and whose output are named. */
export interface ModelGraph {
  readonly graph: Graph;
  readonly inputs: readonly Value[];
  /** `logits`, float32 [batch, labels] or [batch, sequence, labels]. */
  readonly output: { readonly name: Value; readonly dims: readonly (string | number)[] };
}

/** The names that runtimes look for, in the order in which `transformers` has them. */
const INPUTS: Readonly<Record<string, Value>> = {
  inputIds: 'input_ids',
  attentionMask: 'attention_mask',
  tokenTypeIds: 'token_type_ids',
};

const OUTPUT = 'logits';

/**
 * What a model of `@hypetune/models` computes without dropout, layer by layer. Inputs that nothing reads are left out. Throws
 * where the model has a layer that is not of that package.
 */
export function modelGraph(model: LayersModel, precision: Precision = 'fp32'): ModelGraph {
  const graph = new Graph(precision === 'fp16' ? 'float16' : 'float');
  const values = new Map<number, Value>();
  for (const layer of model.layers) {
    if (layer.getClassName() === 'InputLayer') {
      values.set((layer.output as SymbolicTensor).id, inputOf(layer.name));
      continue;
    }
    const inputs = [layer.input].flat().map(({ id }) => values.get(id)!);
    const { owner, write } = writerOf(layer, model);
    const writer = new LayerWriter(graph, precision, owner);
    const config = owner.getConfig() as never;
    const value = graph.within(layer.name, () => write(writer, config, inputs as never));
    values.set((layer.output as SymbolicTensor).id, value);
  }
  const last = model.outputs[0]!;
  const logits = values.get(last.id)!;
  graph.nodes.push({
    ...{ op: precision === 'fp16' ? 'Cast' : 'Identity', name: OUTPUT, inputs: [logits], outputs: [OUTPUT] },
    attributes: precision === 'fp16' ? { to: 1 } : {},
  });
  const read = new Set(graph.nodes.flatMap(({ inputs }) => inputs));
  const labels = last.shape.at(-1)!;
  return {
    graph,
    inputs: Object.values(INPUTS).filter((name) => read.has(name)),
    output: {
      name: OUTPUT,
      dims: last.shape.length === 3 ? ['batch', 'sequence', labels] : ['batch', labels],
    },
  };
}

function inputOf(layer: string): Value {
  const name = INPUTS[layer];
  if (name !== undefined) return name;
  throw new Error(
    `onnx: the model has an input "${layer}"; a model of @hypetune/models has ${Object.keys(INPUTS).join(', ')}.`,
  );
}

/** How a layer is written, and the layer whose weights and configuration it computes with (ALBERT's blocks share them). */
function writerOf(
  layer: layers.Layer,
  model: LayersModel,
): { readonly owner: layers.Layer; readonly write: WriteLayer } {
  const owner =
    layer.getClassName() === 'SharedBlock'
      ? model.getLayer((layer.getConfig() as unknown as SharedBlockConfig).owner)
      : layer;
  const write = LAYERS[owner.getClassName()];
  if (write) return { owner, write };
  throw new Error(
    `onnx: no graph is known for the layer "${layer.name}" (${layer.getClassName()}); models of @hypetune/models alone are written.`,
  );
}
