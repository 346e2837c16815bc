import { tensor, tidy } from '@tensorflow/tfjs-core';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { buildModel } from '../build-model.js';
import {
  type ModelConfig,
  changedConfig,
  headOf,
  labelsOf,
  withHead,
  withLabels,
  without,
} from '../config.js';
import { FAMILIES } from '../families.js';
import { type ModelFolder, pathIn, readText } from '../model-folder.js';
import { Checkpoint, parseJsonFile } from './checkpoint.js';
import { type HeadMatch, matchHead } from './match-head.js';
import { type NamedWeight, namedWeights, transpose } from './weight-names.js';

/** What a model needs to know of a task. */
export interface LoadTask {
  /** `tokens`: an output a token. `values`: a regression. */
  readonly kind: string;
  readonly labels?: readonly string[] | undefined;
  readonly problemType?: string;
}

/** How a checkpoint becomes a model. */
export interface LoadModelOptions {
  /**
   * Names of the outputs, or their number (1: regression); default: the checkpoint's own, else 2. The checkpoint's head is kept
   * where it has these names (in any order) or this number of them; else the head is new.
   */
  readonly labels?: number | readonly string[];
  /**
   * What the model is to be trained for, as `singleLabel()` of `@hypetune/core`: it decides whether there is an output a token,
   * the labels where none are given, and `problem_type`. Default: what the checkpoint is for.
   */
  readonly task?: LoadTask;
  /** Seed of what the checkpoint does not have: a new head, and a pooler where there is none (default 0). */
  readonly seed?: number;
  /** Changes to keys of config.json, for example `{ hidden_dropout_prob: 0 }`; a key that the model's family does not read is an error. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** A model read from a folder, and what the folder did not have or had beyond it. */
export interface LoadedModel {
  readonly model: LayersModel;
  readonly config: ModelConfig;
  readonly folder: string;
  /** What became of the checkpoint's head, and a sentence that says why it is not kept. `new` also where it has none. */
  readonly head: Pick<HeadMatch, 'head' | 'note'>;
  /** Weights that start from random values, drawn by the seed. */
  readonly initialized: readonly string[];
  /** Tensors of the checkpoint that the model has no place for, as the heads of pre-training. */
  readonly unused: readonly string[];
  /** What a user should know of the above, a line each: a head that is not kept, tensors left out, numbers of another type than float32. */
  readonly notes: readonly string[];
}

/**
 * Loads a Hugging Face folder (config.json and safetensors weights, sharded or not) as a model with a classifier.
 * Weights of the encoder that are missing or of another shape are errors that name them.
 */
export async function readModel(from: ModelFolder, options: LoadModelOptions = {}): Promise<LoadedModel> {
  const { config, match } = await readConfig(from, options);
  const checkpoint = await Checkpoint.open(from);
  const { folder } = checkpoint;
  checkSizes(config, checkpoint, pathIn(from, 'config.json'));
  const model = buildModel(config, { seed: options.seed ?? 0, start: 'zeros' });
  try {
    const { prefix } = FAMILIES[config.model_type];
    const asked = options.labels !== undefined || options.task !== undefined;
    const found = resolve(namedWeights(model), checkpoint, prefix, match, asked);
    for (const [weight, stored] of found.sources) await fill(weight, stored, checkpoint, match.order);
    for (const weight of found.initialized) weight.draw();
    const used = new Set(found.sources.values());
    const unused = checkpoint.names.filter((name) => !used.has(name) && !BUFFERS.test(name));
    const { head } = found;
    const initialized = found.initialized.map(({ name }) => name);
    const notes = [
      ...(head.note === undefined ? [] : [`${folder}: ${head.note}`]),
      ...notesOf(checkpoint, [...used], head.note === undefined ? unused : beyondHead(model, unused)),
    ];
    return { model, config, folder, head, initialized, unused, notes };
  } catch (error) {
    model.dispose();
    throw error;
  }
}

/** Layers that share their weights may be more than there are tensors, and positions need not be in a table. */
const MOST = { layers: 256, positions: 2 ** 24 };

/** Throws, before anything is built, where the configuration has sizes that no tensor of the checkpoint comes near. */
function checkSizes(config: ModelConfig, checkpoint: Checkpoint, file: string): void {
  const { names } = checkpoint;
  const widest = names.reduce((most, name) => Math.max(most, ...checkpoint.shapeOf(name)!), 1);
  for (const key of FAMILIES[config.model_type].keys.sizes) {
    const counts = /layers?$|groups$|group_num$/.test(key);
    const most = counts
      ? Math.max(MOST.layers, names.length)
      : /position|local_attention/.test(key)
        ? MOST.positions
        : widest;
    const size = config[key] as number;
    if (size > most)
      throw new Error(
        `${file}: ${key} is ${size}, but the checkpoint has ${names.length} tensors, ` +
          `the longest side of them ${widest}; this is not the config.json of these weights`,
      );
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

/** Tensors that are no part of a head like the model's, which is spoken of already. */
function beyondHead(model: LayersModel, unused: readonly string[]): string[] {
  const head = namedWeights(model).filter(({ mark }) => mark.site === 'head');
  return unused.filter((name) => head.every((weight) => weight.name !== name));
}

/** The first names and how many there are beyond. */
function listed(names: readonly string[], most: number): string {
  const shown = names.slice(0, most).join(', ');
  return names.length > most ? `${shown} and ${names.length - most} more` : shown;
}

async function readConfig(
  folder: ModelFolder,
  { labels, task, config: changes = {} }: LoadModelOptions,
): Promise<{ config: ModelConfig; match: HeadMatch }> {
  const text = await readText(folder, 'config.json');
  if (text === undefined) {
    throw new Error(
      `${folder.name}: there is no config.json; a model folder needs config.json and model.safetensors`,
    );
  }
  const file = pathIn(folder, 'config.json');
  const json = parseJsonFile(text, file);
  if (typeof json !== 'object' || json === null) throw new Error(`${file}: must hold a JSON object`);
  const config = changedConfig(json as Record<string, unknown>, changes, file);
  const kind = headOf(config);
  const stored = { kind, labels: labelsOf(config) ?? labelsOf(withLabels(config, countOf(config)))! };
  const wanted = {
    kind:
      task === undefined ? kind : task.kind === 'tokens' ? 'TokenClassification' : 'SequenceClassification',
    labels: labels ?? task?.labels ?? (task?.kind === 'values' ? 1 : stored.labels),
  } as const;
  const match = matchHead(stored, wanted);
  const names = match.head === 'kept' ? stored.labels : wanted.labels;
  if (names === stored.labels && new Set(names).size !== names.length)
    throw new Error(
      `${file}: the names of id2label must differ, got ${names.join(', ')}; name the outputs by config: { id2label: { ... } }, ` +
        'or give other labels for a new head',
    );
  const labelled = withHead(withLabels(config, names), wanted.kind);
  if (task === undefined && labels === undefined) return { config: labelled, match };
  const rest = without(labelled, ['problem_type']);
  const problem = task?.problemType && { problem_type: task.problemType };
  return { config: { ...rest, ...problem }, match };
}

/** The outputs that a config.json without names speaks of. */
function countOf({ num_labels: count }: ModelConfig): number {
  return Number.isSafeInteger(count) ? (count as number) : 2;
}

interface Resolved {
  readonly sources: Map<NamedWeight, string>;
  readonly initialized: NamedWeight[];
  readonly head: Pick<HeadMatch, 'head' | 'note'>;
}

/** What models compute for themselves and older checkpoints hold beside the weights. */
const BUFFERS = /(^|\.)(position_ids|token_type_ids|inv_freq)$/;

/** Finds each weight in the checkpoint; a pooler may be missing, a head may also be of another shape if labels were `asked` for. */
function resolve(
  weights: readonly NamedWeight[],
  checkpoint: Checkpoint,
  prefix: string,
  match: HeadMatch,
  asked: boolean,
): Resolved {
  const sources = new Map<NamedWeight, string>();
  const initialized: NamedWeight[] = [];
  const missing: string[] = [];
  const ofHead = weights.filter(({ mark }) => mark.site === 'head');
  const stored = ofHead.filter(({ name }) => checkpoint.shapeOf(name));
  const fits = ofHead.every(
    ({ name, storedShape }) => checkpoint.shapeOf(name)?.join() === storedShape.join(),
  );
  const renewed = match.head === 'new' || (asked && !fits);
  for (const weight of weights) {
    const stored = storedNames(weight.name, prefix).find((name) => checkpoint.shapeOf(name));
    if (stored === undefined || (weight.mark.site === 'head' && renewed)) {
      const optional = weight.mark.site === 'head' || weight.mark.site === 'pooler';
      if (optional) initialized.push(weight);
      else missing.push(weight.name);
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
  const kept = !renewed && stored.length > 0;
  const note = match.note ?? (kept ? undefined : `the head is new: the checkpoint's has other shapes`);
  return {
    ...{ sources, initialized },
    head: { head: kept ? match.head : 'new', ...(stored.length > 0 && note !== undefined && { note }) },
  };
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
  { kind, perLabel, storedShape, variable }: NamedWeight,
  stored: string,
  checkpoint: Checkpoint,
  order: readonly number[] | undefined,
): Promise<void> {
  const rows = storedShape[0]!;
  const read = await checkpoint.readFloats(stored);
  const floats = perLabel && order ? inOrder(read, order) : read;
  const data = kind === 'linear' ? transpose(floats, rows, floats.length / rows) : floats;
  tidy(() => {
    variable.write(tensor(data, variable.shape as number[], 'float32'));
  });
}

/** The rows of a row-major matrix in another order. */
function inOrder(matrix: Float32Array, order: readonly number[]): Float32Array {
  const width = matrix.length / order.length;
  const result = new Float32Array(matrix.length);
  for (const [row, from] of order.entries())
    result.set(matrix.subarray(from * width, (from + 1) * width), row * width);
  return result;
}
