export { type BuildModelOptions, bertModel, buildModel, configOf } from './build-model.js';
export type { BertConfig } from './families/bert.js';
export {
  type ModelConfig,
  bertConfig,
  headOf,
  labelsOf,
  modelConfig,
  positionsOf,
  withHead,
  withLabels,
} from './config.js';
export type { HeadKind } from './families/family.js';
export type { ModelType } from './families.js';
export { Checkpoint } from './checkpoint/checkpoint.js';
export { configText } from './checkpoint/config-text.js';
export {
  type LoadModelOptions,
  type LoadTask,
  type LoadedModel,
  loadModel,
} from './checkpoint/load-model.js';
export type { HeadMatch } from './checkpoint/match-head.js';
export { type SaveModelOptions, saveModel } from './checkpoint/save-model.js';
export { type NamedWeight, namedWeights } from './checkpoint/weight-names.js';
export { BertEmbeddings, type BertEmbeddingsConfig } from './layers/bert-embeddings.js';
export { BertPooler, type BertPoolerConfig } from './layers/bert-pooler.js';
export { ClassificationHead, type ClassificationHeadConfig } from './layers/classification-head.js';
export {
  DenseClassificationHead,
  type DenseClassificationHeadConfig,
} from './layers/dense-classification-head.js';
export { EmbeddingsProjection, type EmbeddingsProjectionConfig } from './layers/embeddings-projection.js';
export { TransformerBlock, type TransformerBlockConfig, block } from './layers/transformer-block.js';
export {
  type HypetuneMark,
  type WeightKind,
  type WeightSpec,
  WeightedLayer,
  type WeightedLayerConfig,
} from './layers/weighted-layer.js';
export { cacheFolder } from './source/cache.js';
export type { SourceProgress } from './source/fetcher.js';
export { type SourceOptions, resolveModel, resolveSource } from './source/source.js';
export { isAlive } from './source/is-alive.js';
export { hubAccess } from './source/hub.js';
export { SourceError } from './source/source-error.js';
export { type Source, parseSource } from './source/source-name.js';
export { loadTokenizer, tokenizerConfig, tokenizerJson } from './tokenizer/load-tokenizer.js';
export { type EncodeAllOptions, encodeAll, type Words } from './tokenizer/paced-encoding.js';
export {
  type EncodeOptions,
  type Encoding,
  type Texts,
  Tokenizer,
  type TokenizerSettings,
  type WordEncoding,
} from './tokenizer/tokenizer.js';
export type { AddedToken, TokenizerFile } from './tokenizer/tokenizer-file.js';
