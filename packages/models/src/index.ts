export { type BertConfig, bertConfig, labelsOf, withLabels } from './bert/config.js';
export { type BertModelOptions, bertModel, configOf } from './bert/model.js';
export { Checkpoint } from './checkpoint/checkpoint.js';
export { type LoadModelOptions, type LoadedModel, loadModel } from './checkpoint/load-model.js';
export { type SaveModelOptions, saveModel } from './checkpoint/save-model.js';
export { type NamedWeight, namedWeights } from './checkpoint/weight-names.js';
export { BertEmbeddings, type BertEmbeddingsConfig } from './layers/bert-embeddings.js';
export { BertPooler, type BertPoolerConfig } from './layers/bert-pooler.js';
export { ClassificationHead, type ClassificationHeadConfig } from './layers/classification-head.js';
export { TransformerBlock, type TransformerBlockConfig, block } from './layers/transformer-block.js';
export {
  type HypetuneMark,
  type WeightKind,
  type WeightSpec,
  WeightedLayer,
  type WeightedLayerConfig,
} from './layers/weighted-layer.js';
