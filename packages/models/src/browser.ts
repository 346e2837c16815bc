/** What needs no Node.js: a page's bundle loads this alone. */
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
  readModel,
} from './checkpoint/read-model.js';
export type { HeadMatch } from './checkpoint/match-head.js';
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
export { readTokenizer, tokenizerConfig, tokenizerJson } from './tokenizer/read-tokenizer.js';
export {
  type EncodeOptions,
  type Encoding,
  type Texts,
  Tokenizer,
  type TokenizerSettings,
  type WordEncoding,
} from './tokenizer/tokenizer.js';
export type { AddedToken, TokenizerFile } from './tokenizer/tokenizer-file.js';
export { type BlobLike, blobFolder, type FolderFile, type ModelFolder } from './model-folder.js';
export { type ModelFiles, modelFiles } from './checkpoint/model-files.js';
