import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildModel } from '../build-model.js';
import { type ModelConfig, labelsOf, modelConfig, withLabels } from '../config.js';
import { FAMILIES } from '../families.js';
import { Checkpoint, parseJsonFile } from './checkpoint.js';
import { type NamedWeight, namedWeights, transpose } from './weight-names.js';

/** How a checkpoint becomes a model. */
export interface LoadModelOptions {
  /** Number of classes (1: regression) or their names; default: the checkpoint's own labels, else 2. */
  readonly labels?: number | readonly string[];
  /** Seed of what the checkpoint does not have: a new head, and a pooler where there is none (default 0). */
  readonly seed?: number;
  /** Changes to keys of config.json, for example `{ hidden_dropout_prob: 0 }`. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A model read from a folder, and what the folder did not have or had beyond it. */
export interface LoadedModel {
  readonly model: LayersModel;
  readonly config: ModelConfig;
  readonly folder: string;
  /** Weights that start from random values, drawn by the seed. */
  readonly initialized: readonly string[];
  /** Tensors of the checkpoint that the model has no place for, as the heads of pre-training. */
  readonly unused: readonly string[];
  /** What a user should know of the above, a line each: tensors left out, numbers of another type than float32. */
  readonly notes: readonly string[];
}

const folders = new WeakMap<LayersModel, string>();

/** The folder that a model was loaded from. */
export function folderOf(model: LayersModel): string | undefined {
  return folders.get(model);
}

/**
 * Loads a Hugging Face folder (config.json and safetensors weights, sharded or not) as a model with a classifier.
 * Weights of the encoder that are missing or of another shape are errors that name them.
 */
export async function loadModel(folder: string, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const config = await readConfig(folder, options);
  const checkpoint = await Checkpoint.open(folder);
  const model = buildModel(config, { seed: options.seed ?? 0, encoder: 'zeros' });
  try {
    const { prefix } = FAMILIES[config.model_type];
    const found = resolve(namedWeights(model), checkpoint, prefix, options.labels !== undefined);
    for (const [weight, stored] of found.sources) await fill(weight, stored, checkpoint);
    const used = new Set(found.sources.values());
    folders.set(model, folder);
    const unused = checkpoint.names.filter((name) => !used.has(name) && !BUFFERS.test(name));
    const notes = notesOf(checkpoint, [...used], unused);
    return { model, config, folder, initialized: found.initialized, unused, notes };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

function notesOf(checkpoint: Checkpoint, used: readonly string[], unused: readonly string[]): string[] {
  const { folder } = checkpoint;
  const types = [...new Set(used.map((name) => checkpoint.typeOf(name)))].filter((type) => type !== 'F32');
  return [
    ...(types.length > 0
      ? [`${folder}: the weights are ${types.join(' and ')}; they are trained and saved as float32`]
      : []),
    ...(unused.length > 0
      ? [`${folder}: a classifier has no place for ${unused.length} tensors, left out: ${listed(unused, 3)}`]
      : []),
  ];
}

/** The first names and how many there are beyond. */
function listed(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

async function readConfig(
  folder: string,
  { labels, config: changes }: LoadModelOptions,
): Promise<ModelConfig> {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) {
    throw new Error(
      `${folder}: there is no config.json; a model folder needs config.json and model.safetensors`,
    );
  }
  const json = parseJsonFile(await readFile(file, 'utf8'), file);
  if (typeof json !== 'object' || json === null) throw new Error(`${file}: must hold a JSON object`);
  const config = modelConfig({ ...json, ...changes }, file);
  return withLabels(config, labels ?? labelsOf(config) ?? 2);
}

interface Resolved {
  readonly sources: Map<NamedWeight, string>;
  readonly initialized: string[];
}

/** What models compute for themselves and older checkpoints hold beside the weights. */
const BUFFERS = /(^|\.)(position_ids|token_type_ids|inv_freq)$/;

/** Finds each weight in the checkpoint; a pooler may be missing, a head may also be of another shape if `newHead`. */
function resolve(
  weights: readonly NamedWeight[],
  checkpoint: Checkpoint,
  prefix: string,
  newHead: boolean,
): Resolved {
  const sources = new Map<NamedWeight, string>();
  const initialized: string[] = [];
  const missing: string[] = [];
  const headFits = weights
    .filter(({ mark }) => mark.site === 'head')
    .every(({ name, storedShape }) => checkpoint.shapeOf(name)?.join() === storedShape.join());
  for (const weight of weights) {
    const stored = storedNames(weight.name, prefix).find((name) => checkpoint.shapeOf(name));
    const replaceable = weight.mark.site === 'head' && newHead && !headFits;
    if (stored === undefined || replaceable) {
      const optional = weight.mark.site === 'head' || weight.mark.site === 'pooler';
      (optional ? initialized : missing).push(weight.name);
      weight.mark.fresh.push(weight.name.slice(weight.layer.length + 1));
      continue;
    }
    const shape = checkpoint.shapeOf(stored)!;
    if (shape.join() !== weight.storedShape.join()) {
      throw new Error(
        `${checkpoint.folder}: tensor "${stored}" has shape [${shape.join(', ')}], ` +
          `but config.json asks for [${weight.storedShape.join(', ')}]`,
      );
    }
    sources.set(weight, stored);
  }
  if (missing.length > 0) {
    throw new Error(
      `${checkpoint.folder}: the checkpoint misses ${missing.length} weights of the encoder: ${listed(missing, 5)}`,
    );
  }
  return { sources, initialized };
}

/** The names a weight may have: as in transformers, without the encoder's prefix, and with the first BERT's names of a normalization. */
function storedNames(name: string, prefix: string): string[] {
  const old = name.replace(/(norm)\.weight$/i, '$1.gamma').replace(/(norm)\.bias$/i, '$1.beta');
  return [name, old].flatMap((form) => [
    form,
    ...(form.startsWith(`${prefix}.`) ? [form.slice(prefix.length + 1)] : []),
  ]);
}

async function fill(
  { kind, storedShape, variable }: NamedWeight,
  stored: string,
  checkpoint: Checkpoint,
): Promise<void> {
  const floats = await checkpoint.readFloats(stored);
  const rows = storedShape[0]!;
  const data = kind === 'linear' ? transpose(floats, rows, floats.length / rows) : floats;
  tidy(() => {
    variable.write(tensor(data, variable.shape as number[], 'float32'));
  });
}
