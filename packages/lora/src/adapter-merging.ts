import * as tf from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { HypetuneError, listParameters, z } from '@hypetune/core';
import { parseSafetensors } from '@hypetune/safetensors';
import { PREFIX, type AdapterFiles } from './adapter-files.js';
import { adapted, scaling, withMagnitude } from './formula.js';

/** What of `adapter_config.json` decides what an adapter adds. */
const CONFIG = z.looseObject({
  peft_type: z.literal('LORA'),
  lora_alpha: z.number(),
  alpha_pattern: z.record(z.string(), z.number()).nullish(),
  use_rslora: z.boolean().default(false),
  init_lora_weights: z.union([z.boolean(), z.string()]).nullish(),
});
type AdapterConfig = z.output<typeof CONFIG>;

/** Options of PEFT that make something else of the same tensors. */
const UNKNOWN = [
  ...['use_qalora', 'use_bdlora', 'layer_replication', 'alora_invocation_tokens', 'arrow_config'],
  ...['kasa_config', 'monteclora_config'],
];

/** Starts that PEFT takes out of the base weights, again whenever it loads the adapter: PiSSA, CorDA, OLoRA, LoftQ. */
const FROM_BASE = /^(pissa|corda|olora|loftq)/i;

/** What was done to a model. */
export interface MergeReport {
  /** Modules that an adapter was added to. */
  readonly adapted: readonly string[];
  /** Parameters that were replaced: the head, trained biases. */
  readonly replaced: readonly string[];
}

interface ModuleAdapter {
  down?: tf.Tensor;
  up?: tf.Tensor;
  upBias?: tf.Tensor;
  magnitude?: tf.Tensor;
}

/**
 * Adds an adapter in PEFT's format to a model's weights, LoRA, rsLoRA or DoRA, and puts in the modules saved with it. Throws when
 * it is of another kind, or a tensor's module or shape is not the model's; the model is as before then.
 */
export function mergeAdapterFiles(model: LayersModel, files: AdapterFiles): MergeReport {
  const config = readConfig(files['adapter_config.json']);
  const parameters = new Map(listParameters(model).map((parameter) => [parameter.name, parameter]));
  const after = new Map<string, tf.Tensor>();
  const adapters = new Map<string, ModuleAdapter>();
  return tf.tidy(() => {
    const find = (stored: string, ...names: string[]): string => {
      const name = names.find((candidate) => parameters.has(candidate));
      if (name !== undefined) return name;
      throw new HypetuneError(
        `adapter: the model has no place for '${stored}'; it must be built as the one that the adapter was made for.`,
      );
    };
    const kernelOf = (module: string): string => find(module, `${module}.weight`, `${module}.kernel`);
    const value = (name: string): tf.Tensor => after.get(name) ?? parameters.get(name)!.variable;
    const put = (name: string, tensor: tf.Tensor, stored: string): void => {
      const wanted = parameters.get(name)!.shape;
      if (tensor.shape.join() !== wanted.join())
        throw new HypetuneError(
          `adapter: '${stored}' makes [${tensor.shape.join(', ')}] of a weight of the model that is [${wanted.join(', ')}]; load it into the model that it was made for.`,
        );
      after.set(name, tensor);
    };

    for (const [stored, { data, shape }] of parseSafetensors(
      files['adapter_model.safetensors'],
      'adapter_model.safetensors',
    )) {
      // With bias: all PEFT stores the replaced head as well.
      if (stored.includes('.original_module.')) continue;
      const tensor = tf.tensor(Float32Array.from(data as Float32Array), [...shape]);
      const [, module, part] =
        /^(.*)\.(lora_A\.weight|lora_B\.weight|lora_B\.bias|lora_magnitude_vector(?:\.weight)?)$/.exec(
          stored,
        ) ?? [];
      if (module === undefined || part === undefined) {
        const plain = stored.replace(PREFIX, '').replace(/\.(base_layer|modules_to_save)\./, '.');
        const name = find(stored, plain, plain.replace(/\.weight$/, '.kernel'));
        put(name, parameters.get(name)!.role === 'kernel' ? tf.transpose(tensor) : tensor, stored);
        continue;
      }
      const path = module.replace(PREFIX, '');
      const adapter = adapters.get(path) ?? {};
      adapters.set(path, adapter);
      if (part === 'lora_A.weight') adapter.down = tf.transpose(tensor);
      else if (part === 'lora_B.weight') adapter.up = tf.transpose(tensor);
      else if (part === 'lora_B.bias') adapter.upBias = tensor;
      else adapter.magnitude = tensor;
    }
    const replaced = [...after.keys()];
    for (const [module, { down, up, upBias, magnitude }] of adapters) {
      if (!down || !up)
        throw new HypetuneError(
          `adapter: '${module}' has only one of lora_A and lora_B; the file is not whole.`,
        );
      const scale = scaling(alphaOf(config, module), down.shape[1]!, config.use_rslora);
      const kernel = kernelOf(module);
      // Checked before it is added: a sum may stretch what does not fit.
      const base = value(kernel);
      put(kernel, tf.zeros([down.shape[0]!, up.shape[1]!]), module);
      const sum = adapted(base, down, up, scale);
      put(kernel, magnitude ? withMagnitude(sum, magnitude) : sum, module);
      const bias = upBias && find(module, `${module}.bias`);
      if (bias !== undefined) put(bias, tf.add(value(bias), tf.mul(upBias!, scale)), module);
    }
    for (const [name, tensor] of after) parameters.get(name)!.variable.assign(tensor);
    return { adapted: [...adapters.keys()], replaced };
  });
}

function readConfig(text: string): AdapterConfig {
  const json: unknown = JSON.parse(text);
  const result = CONFIG.safeParse(json);
  if (!result.success) {
    const [{ path, message }] = result.error.issues as [z.core.$ZodIssue];
    throw new HypetuneError(
      `adapter: adapter_config.json, ${path.join('.')}: ${message}. LoRA adapters with or without rsLoRA and DoRA can be merged.`,
    );
  }
  const other = UNKNOWN.find((key) => result.data[key]);
  if (other !== undefined)
    throw new HypetuneError(
      `adapter: adapter_config.json sets ${other}, which cannot be merged here; merge it with PEFT (merge_and_unload).`,
    );
  const { init_lora_weights: start } = result.data;
  if (typeof start === 'string' && FROM_BASE.test(start))
    throw new HypetuneError(
      `adapter: adapter_config.json has init_lora_weights '${start}', whose adapter belongs to base weights that PEFT changes when it loads it; merge it with PEFT (merge_and_unload), or save it as a plain one (save_pretrained with path_initial_model_for_weight_conversion).`,
    );
  return result.data;
}

/** Alpha of a module: the first pattern that its path ends with, else the adapter's. */
function alphaOf({ alpha_pattern: patterns, lora_alpha: alpha }: AdapterConfig, module: string): number {
  const found = Object.entries(patterns ?? {}).find(([pattern]) =>
    new RegExp(`^(.*\\.)?(${pattern})$`).test(module),
  );
  return found?.[1] ?? alpha;
}
