/** What the layers are configured by, and the numbers in them that no checkpoint holds: for programs that write a model in another form. */
export type { Activation } from './layers/activations.js';
export type { AttentionBiasConfig } from './layers/attention-bias.js';
export type { BertEmbeddingsConfig } from './layers/bert-embeddings.js';
export type { BertPoolerConfig } from './layers/bert-pooler.js';
export type { DenseClassificationHeadConfig } from './layers/dense-classification-head.js';
export type { FinalNormalizationConfig } from './layers/normalization.js';
export {
  FARTHEST,
  type RelativePositionBiasConfig,
  distanceBucket,
} from './layers/relative-position-bias.js';
export { type RotaryAnglesConfig, rotaryFrequencies } from './layers/rotary.js';
export type { SharedBlockConfig } from './layers/shared-block.js';
export {
  BERT_BLOCK,
  type BlockNames,
  type BlockPart,
  type TransformerBlockConfig,
} from './layers/transformer-block.js';
export type { ContextPoolerConfig } from './families/deberta/context-pooler.js';
export type { DebertaBlockConfig } from './families/deberta/deberta-block.js';
export type { DebertaConvolutionConfig } from './families/deberta/deberta-convolution.js';
export type { DebertaEmbeddingsConfig } from './families/deberta/deberta-embeddings.js';
export { type RelativeRowsConfig, relativeRow } from './families/deberta/relative-rows.js';
export type { RelativeTableConfig } from './families/deberta/relative-table.js';
export type { EuroBertBlockConfig } from './families/eurobert/block.js';
export type { DensePoolerConfig } from './families/eurobert/dense-pooler.js';
export type { ModernBertBlockConfig } from './families/modernbert/block.js';
export type { ModernBertEmbeddingsConfig } from './families/modernbert/embeddings.js';
export type { PredictionHeadConfig } from './families/modernbert/prediction-head.js';
export { type RelativeSinusoidsConfig, sinusoidFrequencies } from './families/xlnet/relative-sinusoids.js';
export type { SequenceSummaryConfig } from './families/xlnet/sequence-summary.js';
export type { XlnetBlockConfig } from './families/xlnet/xlnet-block.js';
