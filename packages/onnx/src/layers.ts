import type { Value } from './graph.js';
import {
  bertEmbeddings,
  bertPooler,
  denseClassificationHead,
  relativePositionBias,
  transformerBlock,
} from './bert-layers.js';
import {
  contextPooler,
  debertaBlock,
  debertaConvolution,
  debertaEmbeddings,
  relativeTable,
} from './deberta-layers.js';
import type { LayerWriter } from './layer-writer.js';
import { firstToken } from './pooling.js';
import {
  densePooler,
  euroBertBlock,
  finalNormalization,
  modernBertBlock,
  modernBertEmbeddings,
  predictionHead,
  rotaryAngles,
  sharedBias,
} from './prenorm-layers.js';
import { relativeSinusoids, sequenceSummary, xlnetBlock } from './xlnet-layers.js';

/** Adds what a layer computes, without dropout. `config` is what the layer was made of, `inputs` what enters it. */
export type WriteLayer = (writer: LayerWriter, config: never, inputs: never) => Value;

/** A linear map of what enters. */
const linear = (writer: LayerWriter, _: unknown, [x]: readonly [Value]): Value => writer.linear('', x);

/** How each class of layer of `@hypetune/models` is written. */
export const LAYERS: Readonly<Record<string, WriteLayer>> = {
  AttentionBias: sharedBias,
  BertEmbeddings: bertEmbeddings,
  BertPooler: bertPooler,
  ClassificationHead: linear,
  ContextPooler: contextPooler,
  DebertaBlock: debertaBlock,
  DebertaConvolution: debertaConvolution,
  DebertaEmbeddings: debertaEmbeddings,
  DenseClassificationHead: denseClassificationHead,
  DensePooler: densePooler,
  EmbeddingsProjection: linear,
  EuroBertBlock: euroBertBlock,
  FinalNormalization: finalNormalization,
  ModernBertBlock: modernBertBlock,
  ModernBertEmbeddings: modernBertEmbeddings,
  PreClassifier: (writer: LayerWriter, _: unknown, [hidden]: readonly [Value]): Value =>
    writer.graph.add('Relu', [writer.linear('', firstToken(writer.graph, hidden))]),
  PredictionHead: predictionHead,
  RelativePositionBias: relativePositionBias,
  RelativeSinusoids: relativeSinusoids,
  RelativeTable: relativeTable,
  RotaryAngles: rotaryAngles,
  SequenceSummary: sequenceSummary,
  TokenEmbeddings: (writer: LayerWriter, _: unknown, [ids]: readonly [Value]): Value =>
    writer.lookup('weight', ids),
  TransformerBlock: transformerBlock,
  XlnetBlock: xlnetBlock,
  XlnetEmbeddings: (writer: LayerWriter, _: unknown, [ids]: readonly [Value]): Value =>
    writer.lookup('word_embedding.weight', ids),
};
