import { type LayersModel, type SymbolicTensor, input, model } from '@tensorflow/tfjs-layers';
import { type ModelConfig, headOf, labelsOf, modelConfig, withHead } from './config.js';
import { FAMILIES } from './families.js';

/** How a model is built. */
export interface BuildModelOptions {
  /** Seed of the starting values (default 0). */
  readonly seed?: number;
  /** `zeros` saves the draws where weights are overwritten at once (default `drawn`). */
  readonly start?: 'drawn' | 'zeros';
}

/**
 * An encoder with a classifier as a layers model. Inputs, each int32 [B, T]: inputIds, attentionMask (1 token, 0 padding,
 * wherever it is) and tokenTypeIds, which families without token types do not read; the output is the logits
 * [B, labels], or [B, T, labels] where `architectures` names a class for token classification. The layers have the checkpoint's names.
 */
export function buildModel(config: ModelConfig, options: BuildModelOptions = {}): LayersModel {
  const { seed = 0, start = 'drawn' } = options;
  const common = { initializerRange: config.initializer_range, seed, start };
  const tokens = (name: string): SymbolicTensor => input({ shape: [null], dtype: 'int32', name });
  const inputs = {
    inputIds: tokens('inputIds'),
    attentionMask: tokens('attentionMask'),
    tokenTypeIds: tokens('tokenTypeIds'),
  };
  const family = FAMILIES[config.model_type];
  const encoder = family.encoder(config, common);
  const kind = headOf(config);
  const head = family.heads[kind](config, common, labelsOf(config)?.length ?? 2);
  const logits = head.connect(encoder.connect(inputs), inputs);
  const built = model({ inputs: Object.values(inputs), outputs: logits, name: config.model_type });
  built.setUserDefinedMetadata({ hypetune: { config: withHead(config, kind) } });
  return built;
}

/** {@link buildModel} under the name of the first architecture. */
export const bertModel: typeof buildModel = buildModel;

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
