import { existsSync, readdirSync, statSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { Staging, cacheFolder, entryFolder, hashFile, readEntry } from './cache.js';
import type { FetchContext, SourceProgress } from './fetcher.js';
import { fetchFromHub } from './hub.js';
import { fetchTarball } from './npm.js';
import { type Pin, pinOf } from './pins.js';
import { fetchWheel } from './pip.js';
import { SourceError } from './source-error.js';
import { type Source, parseSource } from './source-name.js';
import { untar } from './tarball.js';
import { unzip } from './zip.js';

/** How a source is fetched. */
export interface SourceOptions {
  /** Folder of everything downloaded (default: HYPETUNE_CACHE, XDG_CACHE_HOME/hypetune or ~/.cache/hypetune). */
  readonly cache?: string;
  /** Use the cache alone (default: whether HYPETUNE_OFFLINE is set). */
  readonly offline?: boolean;
  readonly signal?: AbortSignal;
  /** Called while something is downloaded. */
  readonly onProgress?: (progress: SourceProgress) => void;
}

type RemoteSource = Exclude<Source, { kind: 'file' }>;

/**
 * The local folder of a source: `pip:NAME[==V]` an unpacked wheel, `npm:NAME[@V]` an unpacked package,
 * `hf:OWNER/NAME[@revision]` a model's files, `hf:datasets/OWNER/NAME[/FOLDER][@revision]` a data set's, `file:PATH` or a plain
 * path that folder itself. What was fetched once is used from the cache after its hashes are checked. Throws a {@link SourceError} that says what was tried.
 */
export async function resolveSource(text: string, options: SourceOptions = {}): Promise<string> {
  const source = parseSource(text);
  if (source.kind === 'file') return existingFolder(source.path, text);
  const cache = options.cache ?? cacheFolder();
  const pin = pinOf(source);
  const version = source.version ?? pin?.version;
  const entry = entryFolder(cache, version === undefined ? source : { ...source, version });
  const tried: string[] = [];
  const cached = await readEntry(entry);
  if (cached && 'folder' in cached) return cached.folder;
  tried.push(`the cache ${entry}: ${cached ? `damaged, ${cached.damage}` : 'not there'}`);
  if (options.offline ?? Boolean(process.env.HYPETUNE_OFFLINE)) {
    tried.push('nothing else, because it is set to work offline');
    throw new SourceError(text, tried, remedy(source));
  }
  if (cached) await rm(entry, { recursive: true, force: true });
  const staging = await Staging.create(cache);
  try {
    const report = (bytes: number, announced?: number): void => {
      const total = pin?.bytes ?? announced;
      options.onProgress?.({ source: text, bytes, ...(total === undefined ? {} : { total }) });
    };
    const context = { source, version, staging, signal: options.signal, tried, report };
    const archive = await fetchFiles(context, pin);
    return await staging.commit(entry, { source: text, ...(archive ? { archive } : {}) });
  } catch (error) {
    options.signal?.throwIfAborted();
    throw error;
  } finally {
    await staging.remove();
  }
}

/** The folder of a source that holds a model: config.json beside safetensors weights, at most three levels down. */
export async function resolveModel(text: string, options: SourceOptions = {}): Promise<string> {
  const folder = await resolveSource(text, options);
  const found = modelFolders(folder, 3);
  if (found.length > 1)
    throw new Error(`${text}: ${found.join(' and ')} both hold a model; name one by file:PATH`);
  return found[0] ?? folder; // without a model, loading it says what is missing
}

/** The folder of a source that holds data: `hf:OWNER/NAME[/FOLDER][@revision]` is a data set of the hub here. */
export async function resolveData(text: string, options: SourceOptions = {}): Promise<string> {
  return resolveSource(text.replace(/^hf:(?!datasets\/)/, 'hf:datasets/'), options);
}

function modelFolders(folder: string, levels: number): string[] {
  if (
    existsSync(join(folder, 'config.json')) &&
    readdirSync(folder).some((name) => name.endsWith('.safetensors'))
  ) {
    return [folder];
  }
  if (levels === 0) return [];
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return children.flatMap(({ name }) =>
    name === 'node_modules' ? [] : modelFolders(join(folder, name), levels - 1),
  );
}

async function fetchFiles(
  context: FetchContext,
  pin: Pin | undefined,
): Promise<{ name: string; sha256: string } | undefined> {
  const { source, staging, signal, tried } = context;
  if (source.kind === 'hf') {
    if (await fetchFromHub(context)) return undefined;
    throw new SourceError(source.text, tried, remedy(source));
  }
  const archive = await (source.kind === 'pip' ? fetchWheel(context) : fetchTarball(context));
  if (archive === undefined) throw new SourceError(source.text, tried, remedy(source));
  const sha256 = await hashFile(archive);
  if (pin && sha256 !== pin.sha256) {
    throw new Error(
      `${source.text}: ${basename(archive)} has sha256 ${sha256}, but ${pin.sha256} is expected; it is not used. ` +
        'Check which mirror your package client is set to.',
    );
  }
  await (source.kind === 'pip' ? unzip : untar)(archive, staging.files, signal);
  return { name: basename(archive), sha256 };
}

/** Who owns the models that the hub had before names had owners. */
const OWNERS = [
  [/^bert-(base|large)-/, 'google-bert'],
  [/^(xlm-)?roberta-(base|large)$/, 'FacebookAI'],
  [/^distil(bert|roberta)-/, 'distilbert'],
  [/^albert-/, 'albert'],
  [/^xlnet-/, 'xlnet'],
] as const;

/** A model's name on the hub with its owner, where it is one of the old names without. */
function hubName(name: string): string {
  const owner = OWNERS.find(([pattern]) => pattern.test(name))?.[1];
  return owner === undefined ? name : `${owner}/${name}`;
}

function existingFolder(path: string, text: string): string {
  if (!existsSync(path)) {
    const hub = /^([\w-][\w.-]*\/)?[\w-][\w.-]*$/.test(text) ? `, as hf:${hubName(text)}` : '';
    const hint = text.startsWith('file:')
      ? ''
      : `; a source that is not a path has a prefix: pip:, npm: or hf:${hub}`;
    throw new Error(`${text}: there is no folder ${path}${hint}`);
  }
  if (!statSync(path).isDirectory())
    throw new Error(`${text}: ${path} is a file; name the folder that holds it`);
  return path;
}

function remedy({ kind }: RemoteSource): string {
  const check = {
    pip: 'Check the name, and that `python3 -m pip download` works here (set HYPETUNE_PYTHON to use another Python)',
    npm: 'Check the name, and that `npm pack` works here',
    hf: 'Check the name and the network (HF_ENDPOINT names another hub, HF_TOKEN a token)',
  }[kind];
  return `${check}; or fetch it on another machine and give the unpacked folder as file:PATH.`;
}
