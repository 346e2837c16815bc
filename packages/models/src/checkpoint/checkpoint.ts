import {
  type Header,
  LENGTH_BYTES,
  type TensorData,
  type TensorEntry,
  decodeElements,
  parseHeader,
  parseHeaderLength,
  readableType,
} from '@hypetune/safetensors';
import { type FolderFile, type ModelFolder, pathIn, readText } from '../model-folder.js';

const SINGLE = 'model.safetensors';
const INDEX = 'model.safetensors.index.json';

const MODEL_OF_FOLDER = [
  'folder, file = sys.argv[1:]; config = transformers.AutoConfig.from_pretrained(folder)',
  'known = config.architectures and getattr(transformers, config.architectures[0].removeprefix("TF"))',
  'model = known(config) if known else transformers.AutoModelForPreTraining.from_config(config)',
];
const SAVE = 'model.save_pretrained(folder, safe_serialization=True)';

/** Python that writes a folder's weights as safetensors, every tensor under its name: a trained head is among them. */
const CONVERSIONS = {
  torch: [
    'import glob, sys, torch; from safetensors.torch import save_file; folder, files = sys.argv[1:]; state = {}',
    '[state.update(torch.load(f, map_location="cpu", weights_only=True)) for f in sorted(glob.glob(folder + "/" + files))]',
    'save_file({n: t.clone().contiguous() for n, t in state.items()}, folder + "/model.safetensors", {"format": "pt"})',
  ],
  keras: [
    'import sys, transformers; from transformers.modeling_tf_pytorch_utils import load_tf2_checkpoint_in_pytorch_model as load',
    ...MODEL_OF_FOLDER,
    'load(model, folder + "/" + file, allow_missing_keys=True)',
    SAVE,
  ],
  tensorflow: [
    'import sys, transformers',
    ...MODEL_OF_FOLDER,
    'type(model).load_tf_weights(model, config, folder + "/" + file.removesuffix(".index"))',
    SAVE,
  ],
};

/** Weights of other formats, never read because reading one may run code. */
const FOREIGN: Readonly<Record<string, keyof typeof CONVERSIONS>> = {
  '.bin': 'torch',
  '.pt': 'torch',
  '.pth': 'torch',
  '.ckpt.index': 'tensorflow',
  '.h5': 'keras',
};

interface Location {
  readonly file: FolderFile;
  readonly path: string;
  readonly header: Header;
  readonly entry: TensorEntry;
}

/** The weights in a Hugging Face folder, one safetensors file or shards with an index; data are read tensor by tensor. */
export class Checkpoint {
  private constructor(
    /** What errors call the folder. */
    readonly folder: string,
    private readonly locations: ReadonlyMap<string, Location>,
  ) {}

  /** Reads and checks the headers alone. Throws where the folder has no safetensors weights or the index does not fit. */
  static async open(folder: ModelFolder): Promise<Checkpoint> {
    const single = await locate(folder, SINGLE);
    if (single) return new Checkpoint(folder.name, single);
    const index = await readText(folder, INDEX);
    if (index !== undefined) return new Checkpoint(folder.name, await locateShards(folder, index));
    throw new Error(await explainMissingWeights(folder));
  }

  get names(): readonly string[] {
    return [...this.locations.keys()];
  }

  /** Shape of a tensor; `undefined` where the checkpoint has none of this name. */
  shapeOf(name: string): readonly number[] | undefined {
    return this.locations.get(name)?.entry.shape;
  }

  /** Type of a tensor's elements in the format's words (F32, BF16 ...); `undefined` where the checkpoint has none of this name. */
  typeOf(name: string): string | undefined {
    return this.locations.get(name)?.entry.dtype;
  }

  /** A tensor's elements as float32; throws where they are not floating-point numbers. */
  async readFloats(name: string): Promise<Float32Array> {
    const location = this.locations.get(name);
    if (!location) throw new Error(`${this.folder}: the checkpoint has no tensor "${name}"`);
    const { file, path, header, entry } = location;
    const bytes = await file.read(header.dataStart + entry.begin, header.dataStart + entry.end);
    return floatsOf(decodeElements(bytes, readableType(entry, name, path)), entry, name, path);
  }
}

function floatsOf(data: TensorData, entry: TensorEntry, name: string, file: string): Float32Array {
  if (data instanceof Float32Array) return data;
  if (data instanceof Float64Array) return Float32Array.from(data);
  throw new Error(
    `${file}: tensor "${name}" holds ${entry.dtype}; model weights must be F32, F16, BF16 or F64`,
  );
}

async function locate(folder: ModelFolder, name: string): Promise<Map<string, Location> | undefined> {
  const file = await folder.open(name);
  if (!file) return undefined;
  const path = pathIn(folder, name);
  const { size } = file;
  const length = parseHeaderLength(await file.read(0, Math.min(LENGTH_BYTES, size)), size, path);
  const header = parseHeader(await file.read(LENGTH_BYTES, LENGTH_BYTES + length), size, path);
  return new Map(Array.from(header.tensors, ([tensor, entry]) => [tensor, { file, path, header, entry }]));
}

async function locateShards(folder: ModelFolder, text: string): Promise<Map<string, Location>> {
  const index = pathIn(folder, INDEX);
  const parsed = parseJsonFile(text, index) as { weight_map?: unknown } | null;
  const map = parsed?.weight_map;
  if (typeof map !== 'object' || map === null)
    throw new Error(`${index}: weight_map must name each tensor's file`);
  const shards = new Map<string, Map<string, Location>>();
  const locations = new Map<string, Location>();
  for (const [name, shard] of Object.entries(map as Record<string, unknown>)) {
    if (typeof shard !== 'string' || /[\\/]/.test(shard) || !shard.endsWith('.safetensors')) {
      throw new Error(
        `${index}: "${name}" must be in a safetensors file of the same folder, got ${JSON.stringify(shard)}`,
      );
    }
    const tensors = shards.get(shard) ?? (await locate(folder, shard));
    if (!tensors)
      throw new Error(`${index}: the shard ${shard} (with "${name}") is missing from ${folder.name}`);
    shards.set(shard, tensors);
    const location = tensors.get(name);
    if (!location) throw new Error(`${index}: "${name}" should be in ${shard}, which does not have it`);
    locations.set(name, location);
  }
  return locations;
}

/** Parses JSON text; an error names the file. */
export function parseJsonFile(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new Error(`${file}: not valid JSON: ${(error as Error).message}`, { cause: error });
  }
}

async function explainMissingWeights(from: ModelFolder): Promise<string> {
  const { name: folder } = from;
  const names = await from.list();
  const missing = `${folder}: there is no ${SINGLE} (nor ${INDEX})`;
  if (!names) return `${folder}: there is no such folder`;
  for (const name of names) {
    const ending = Object.keys(FOREIGN).find((known) => name.endsWith(known));
    // Of a trainer's checkpoint, not of a model.
    if (ending === undefined || /^(training_args|optimizer|scheduler|rng_state)/.test(name)) continue;
    const kind = FOREIGN[ending]!;
    // Shards of one model are named alike.
    const files = name.replace(/-\d+-of-\d+/, '-*');
    const call = `python3 -c '${CONVERSIONS[kind].join('; ')}' '${folder}' '${files}'`;
    const needs =
      kind === 'torch'
        ? 'with torch and safetensors'
        : 'with "transformers<5" (later ones read no TensorFlow), torch, tensorflow and tf-keras';
    return `${missing}. ${name} is not read, because reading that format can run code from the file. Convert it, if you trust it, ${needs}:\n  ${call}`;
  }
  return `${missing}; a model folder needs config.json and weights in the safetensors format`;
}
