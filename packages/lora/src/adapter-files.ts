import { serializeSafetensors, type StoredTensor } from '@hypetune/safetensors';
import { HypetuneError, listParameters, type Snapshot, type Trainer } from '@hypetune/core';
import type { lora } from './lora.js';
import { moduleOf, targetKernels } from './targets.js';

/** What PEFT puts before the name that a parameter has in the model. */
export const PREFIX = 'base_model.model.';

/** What `adapter_config.json` says beside what the method's options do. */
export interface AdapterSettings {
  /** The model that the adapter belongs to, a folder or a name on a hub; PEFT's users give it themselves if it is not said. */
  readonly baseModel?: string;
  /** Which head PEFT expects. Default TOKEN_CLS where the trainer's task labels tokens, else SEQ_CLS. */
  readonly taskType?: 'SEQ_CLS' | 'TOKEN_CLS';
}

/** The two files of an adapter as PEFT reads it. */
export interface AdapterFiles {
  readonly 'adapter_config.json': string;
  readonly 'adapter_model.safetensors': Uint8Array;
}

type LoraOptions = ReturnType<typeof lora>['options'];

/**
 * The adapter that a running `fit` has trained so far, in PEFT's format, with the head and whatever else is not pre-trained; of
 * the weights that are measured (averaged by EMA, say), with `keepBest` those of the best epoch so far. To be called in a tap of
 * `onEpoch` or `onFitEnd`. Throws when the trainer has no lora, when base weights are changed beside the adapters (WiSE-FT, NoisyTune,
 * re-initialising), and when PEFT has no place for what it adapts.
 */
export async function adapterFiles(trainer: Trainer, settings: AdapterSettings = {}): Promise<AdapterFiles> {
  const plugin = trainer.plugins.find(({ name }) => name === 'lora') as
    { readonly name: string; readonly options: LoraOptions } | undefined;
  if (!plugin || plugin.options.rank === 0)
    throw new HypetuneError('lora: the trainer has no adapter to save; give it the plugin lora().');
  checkBase(trainer, plugin.name);
  const snapshot = await trainer.withEvaluatedWeights(() => trainer.snapshot());
  const parameters = listParameters(trainer.options.model);
  const kernels = targetKernels(parameters, plugin.options.targetModules).map(({ name }) => name);
  const bare = kernels.find((name) => moduleOf(name) === name);
  if (bare !== undefined)
    throw new HypetuneError(
      `lora: PEFT adapts modules, and '${bare}' is a parameter outside of any; name modules in targetModules, or save the merged model.`,
    );
  const targets = kernels.map(moduleOf);
  const value = valuesOf(snapshot);
  const tensors: [string, StoredTensor][] = targets.flatMap((module) =>
    ['lora_A', 'lora_B', ...(plugin.options.dora ? ['lora_magnitude_vector'] : [])].map(
      (part): [string, StoredTensor] => [
        `${PREFIX}${module}.${part}${part === 'lora_magnitude_vector' ? '' : '.weight'}`,
        value(`lora/${module}.${part}`, true),
      ],
    ),
  );
  const adapted = new Set(targets);
  const { bias } = plugin.options;
  for (const { name, pretrained, role } of parameters) {
    const module = moduleOf(name);
    const isTarget = adapted.has(module);
    const trainedBias = name.endsWith('.bias') && (bias === 'all' || (bias === 'lora_only' && isTarget));
    if (pretrained && !trainedBias) continue;
    // PEFT wraps an adapted module and calls what it wraps its base layer.
    const stored = pretrained && isTarget ? `${module}.base_layer.bias` : name;
    tensors.push([PREFIX + stored, value(name, role === 'kernel')]);
  }
  const fresh = parameters.filter(({ pretrained }) => !pretrained).map(({ owner }) => owner);
  const taskType = trainer.options.task.kind === 'tokens' ? 'TOKEN_CLS' : 'SEQ_CLS';
  const config = adapterConfig(plugin.options, targets, [...new Set(fresh)], { taskType, ...settings });
  return {
    'adapter_config.json': `${JSON.stringify(config, null, 2)}\n`,
    'adapter_model.safetensors': serializeSafetensors(tensors, { format: 'pt' }),
  };
}

/** Throws where something changed base weights once they were loaded, or may change what the adapters were merged into. */
function checkBase({ changedOnLoad, hooks: { beforeEvaluation } }: Trainer, plugin: string): void {
  const merge = beforeEvaluation.taps.findIndex(({ name }) => name === plugin);
  const later = beforeEvaluation.taps.slice(merge + 1).map(({ name }) => name);
  const changing = [...changedOnLoad, ...later];
  if (changing.length > 0)
    throw new HypetuneError(
      `${plugin}: base weights are changed by ${changing.join(', ')}, which no adapter file holds; save the merged model.`,
    );
}

/** Values of a snapshot's parameters as checkpoints hold them: matrices that multiply stand there as [out, in]. */
function valuesOf({ tensors, meta }: Snapshot): (name: string, turned: boolean) => StoredTensor {
  const from = meta.best ? 'best' : 'model';
  return (name, turned) => {
    const { shape, data } = tensors[`${from}/${name}`]!;
    const [rows, columns] = shape as [number, number];
    if (!turned || shape.length !== 2) return { dtype: 'F32', shape, data: data as Float32Array };
    const result = Float32Array.from(
      data,
      (_, place) => data[(place % rows) * columns + Math.floor(place / rows)]!,
    );
    return { dtype: 'F32', shape: [columns, rows], data: result };
  };
}

function adapterConfig(
  { rank, alpha, rankStabilized, dora, bias }: LoraOptions,
  targets: readonly string[],
  saved: readonly string[],
  { baseModel, taskType }: AdapterSettings,
): Record<string, unknown> {
  return {
    peft_type: 'LORA',
    task_type: taskType,
    base_model_name_or_path: baseModel ?? null,
    r: rank,
    lora_alpha: alpha,
    lora_dropout: 0,
    target_modules: targets,
    modules_to_save: saved,
    bias,
    use_rslora: rankStabilized,
    use_dora: dora,
    fan_in_fan_out: false,
    init_lora_weights: true,
    inference_mode: true,
  };
}
