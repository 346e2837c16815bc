import { type LayersModel, type SymbolicTensor, input, model } from '@tensorflow/tfjs-layers';
import { type ModelConfig, labelsOf, modelConfig } from './config.js';
import { type Common, type Encoder, type Head, FAMILIES } from './families.js';
import { BertEmbeddings } from './layers/bert-embeddings.js';
import { BertPooler } from './layers/bert-pooler.js';
import { ClassificationHead } from './layers/classification-head.js';
import { type HeadActivation, DenseClassificationHead } from './layers/dense-classification-head.js';
import { EmbeddingsProjection } from './layers/embeddings-projection.js';
import { TransformerBlock } from './layers/transformer-block.js';

/** How a model is built. */
export interface BuildModelOptions {
  /** Seed of the starting values (default 0). */
  readonly seed?: number;
  /** `zeros` saves the draws where the encoder's weights are overwritten at once (default `drawn`). */
  readonly encoder?: 'drawn' | 'zeros';
}

/**
 * An encoder with a classifier as a layers model. Inputs, each int32 [B, T], padded at the end: inputIds, attentionMask
 * (1 token, 0 padding) and tokenTypeIds; the output is the logits [B, labels]. The layers have the checkpoint's names.
 */
export function buildModel(config: ModelConfig, options: BuildModelOptions = {}): LayersModel {
  const { seed = 0, encoder = 'drawn' } = options;
  const common = { initializerRange: config.initializer_range, seed };
  const tokens = (name: string): SymbolicTensor => input({ shape: [null], dtype: 'int32', name });
  const inputs = {
    inputIds: tokens('inputIds'),
    attentionMask: tokens('attentionMask'),
    tokenTypeIds: tokens('tokenTypeIds'),
  };
  const family = FAMILIES[config.model_type];
  const { layers, connect } = (family.encoder ?? bertEncoder)(config, common);
  if (encoder === 'zeros') for (const layer of layers) layer.setFastWeightInitDuringBuild(true);
  const labels = labelsOf(config)?.length ?? 2;
  const head = (typeof family.head === 'function' ? family.head : bertHead)(config, labels, common);
  const outputs = head(connect(inputs), inputs.attentionMask);

  const built = model({ inputs: Object.values(inputs), outputs, name: config.model_type });
  built.setUserDefinedMetadata({ hypetune: { config } });
  return built;
}

/** {@link buildModel} under the name of the first architecture. */
export const bertModel: typeof buildModel = buildModel;

function bertEncoder(config: ModelConfig, common: Common): Encoder {
  const { model_type: prefix, hidden_size: hiddenSize } = config;
  const embeddingSize = config.embedding_size ?? hiddenSize;
  const embeddings = new BertEmbeddings({
    ...common,
    name: `${prefix}.embeddings`,
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    firstPosition: FAMILIES[prefix].firstPosition(config.pad_token_id),
    tokenTypes: config.type_vocab_size,
    size: embeddingSize,
    epsilon: config.layer_norm_eps,
    hiddenDropout: config.hidden_dropout_prob,
  });
  const name = `${prefix}.embeddings_project`;
  const projection =
    embeddingSize === hiddenSize
      ? []
      : [new EmbeddingsProjection({ ...common, name, embeddingSize, hiddenSize })];
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new TransformerBlock({
        ...common,
        name: `${prefix}.encoder.layer.${index}`,
        hiddenSize,
        intermediateSize: config.intermediate_size,
        heads: config.num_attention_heads,
        activation: config.hidden_act,
        epsilon: config.layer_norm_eps,
        hiddenDropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
      }),
  );
  return {
    layers: [embeddings, ...projection, ...blocks],
    connect: ({ inputIds, attentionMask, tokenTypeIds }) => {
      let hidden = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
      for (const layer of projection) hidden = layer.apply(hidden) as SymbolicTensor;
      for (const block of blocks) hidden = block.apply([hidden, attentionMask]) as SymbolicTensor;
      return hidden;
    },
  };
}

function bertHead(config: ModelConfig, labels: number, common: Common): Head {
  const { model_type: prefix, hidden_size: hiddenSize } = config;
  const dropout = config.classifier_dropout ?? config.hidden_dropout_prob;
  const settings = { ...common, name: 'classifier', hiddenSize, labels, dropout };
  const activation = FAMILIES[prefix].head as 'pooler' | HeadActivation;
  const layers =
    activation === 'pooler'
      ? [
          new BertPooler({ ...common, name: `${prefix}.pooler`, hiddenSize }),
          new ClassificationHead(settings),
        ]
      : [new DenseClassificationHead({ ...settings, activation })];
  return (hidden) => layers.reduce((x, layer) => layer.apply(x) as SymbolicTensor, hidden);
}

/** The configuration that a model of this package carries, also after `save` and `loadLayersModel`. */
export function configOf(built: LayersModel): ModelConfig {
  const metadata = built.getUserDefinedMetadata() as
    { hypetune?: { config?: Record<string, unknown> } } | undefined;
  const config = metadata?.hypetune?.config;
  if (!config)
    throw new Error(
      `the model "${built.name}" was not built by @hypetune/models: it carries no configuration`,
    );
  return modelConfig(config, `the configuration of "${built.name}"`);
}
