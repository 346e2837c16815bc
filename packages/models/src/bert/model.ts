import { type LayersModel, type SymbolicTensor, input, model } from '@tensorflow/tfjs-layers';
import { BertEmbeddings } from '../layers/bert-embeddings.js';
import { BertPooler } from '../layers/bert-pooler.js';
import { ClassificationHead } from '../layers/classification-head.js';
import { TransformerBlock } from '../layers/transformer-block.js';
import { type BertConfig, bertConfig, labelsOf } from './config.js';

/** How a model is built. */
export interface BertModelOptions {
  /** Seed of the starting values (default 0). */
  readonly seed?: number;
  /** `zeros` saves the draws where the encoder's weights are overwritten at once (default `drawn`). */
  readonly encoder?: 'drawn' | 'zeros';
}

/**
 * BERT with a classifier (Devlin et al., 2019) as a layers model. Inputs, each int32 [B, T]: inputIds, attentionMask
 * (1 token, 0 padding) and tokenTypeIds; the output is the logits [B, labels]. The layers have the checkpoint's names.
 */
export function bertModel(config: BertConfig, options: BertModelOptions = {}): LayersModel {
  const { seed = 0, encoder = 'drawn' } = options;
  const common = { initializerRange: config.initializer_range, seed };
  const tokens = (name: string): SymbolicTensor => input({ shape: [null], dtype: 'int32', name });
  const inputs = [tokens('inputIds'), tokens('attentionMask'), tokens('tokenTypeIds')] as const;
  const [inputIds, attentionMask, tokenTypeIds] = inputs;

  const embeddings = new BertEmbeddings({
    ...common,
    name: 'bert.embeddings',
    vocabularySize: config.vocab_size,
    positions: config.max_position_embeddings,
    tokenTypes: config.type_vocab_size,
    hiddenSize: config.hidden_size,
    epsilon: config.layer_norm_eps,
    hiddenDropout: config.hidden_dropout_prob,
  });
  const blocks = Array.from(
    { length: config.num_hidden_layers },
    (_, index) =>
      new TransformerBlock({
        ...common,
        name: `bert.encoder.layer.${index}`,
        hiddenSize: config.hidden_size,
        intermediateSize: config.intermediate_size,
        heads: config.num_attention_heads,
        activation: config.hidden_act,
        epsilon: config.layer_norm_eps,
        hiddenDropout: config.hidden_dropout_prob,
        attentionDropout: config.attention_probs_dropout_prob,
      }),
  );
  const pooler = new BertPooler({ ...common, name: 'bert.pooler', hiddenSize: config.hidden_size });
  const classifier = new ClassificationHead({
    ...common,
    name: 'classifier',
    hiddenSize: config.hidden_size,
    labels: labelsOf(config)?.length ?? 2,
    dropout: config.classifier_dropout ?? config.hidden_dropout_prob,
  });
  if (encoder === 'zeros') {
    for (const layer of [embeddings, ...blocks]) layer.setFastWeightInitDuringBuild(true);
  }

  let hidden = embeddings.apply([inputIds, tokenTypeIds]) as SymbolicTensor;
  for (const block of blocks) hidden = block.apply([hidden, attentionMask]) as SymbolicTensor;
  const logits = classifier.apply(pooler.apply(hidden)) as SymbolicTensor;
  const built = model({ inputs: [...inputs], outputs: logits, name: 'bert' });
  built.setUserDefinedMetadata({ hypetune: { config } });
  return built;
}

/** The configuration that a model of this package carries, also after `save` and `loadLayersModel`. */
export function configOf(built: LayersModel): BertConfig {
  const metadata = built.getUserDefinedMetadata() as
    { hypetune?: { config?: Record<string, unknown> } } | undefined;
  const config = metadata?.hypetune?.config;
  if (!config)
    throw new Error(
      `the model "${built.name}" was not built by @hypetune/models: it carries no configuration`,
    );
  return bertConfig(config, `the configuration of "${built.name}"`);
}
