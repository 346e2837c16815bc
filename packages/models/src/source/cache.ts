import { createHash } from 'node:crypto';
import { createReadStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { Source } from './source-name.js';
import { HOST, isAlive } from './this-machine.js';

/** What a cached source consists of: its files' sha256 by path, and the archive they came in. */
export interface Manifest {
  readonly source: string;
  readonly archive?: { readonly name: string; readonly sha256: string };
  readonly files: Readonly<Record<string, string>>;
}

const MANIFEST = 'source.json';
const FILES = 'files';
const STALE_MILLISECONDS = 24 * 3600 * 1000;
const PARALLEL = 16;
/** Above this size a file is hashed as a stream; a stream for each of thousands of small files takes seconds. */
const STREAMED_BYTES = 2 ** 22;

/** The folder of everything downloaded: HYPETUNE_CACHE, else XDG_CACHE_HOME/hypetune, else ~/.cache/hypetune. */
export function cacheFolder(): string {
  if (process.env.HYPETUNE_CACHE) return process.env.HYPETUNE_CACHE;
  return join(process.env.XDG_CACHE_HOME ?? join(homedir(), '.cache'), 'hypetune');
}

/** Where a source lies in the cache. */
export function entryFolder(
  cache: string,
  { kind, name, version }: Exclude<Source, { kind: 'file' }>,
): string {
  return join(
    cache,
    'sources',
    kind,
    encodeURIComponent(version === undefined ? name : `${name}@${version}`),
  );
}

/** The files of a cached source, checked against the recorded hashes; `damage` says why they cannot be used. */
export async function readEntry(entry: string): Promise<{ folder: string } | { damage: string } | undefined> {
  if (!existsSync(join(entry, MANIFEST))) return undefined;
  const folder = join(entry, FILES);
  try {
    const { files } = JSON.parse(await readFile(join(entry, MANIFEST), 'utf8')) as Manifest;
    const actual = await hashFolder(folder);
    for (const [path, sha256] of Object.entries(files)) {
      if (actual[path] !== sha256)
        return { damage: `${join(folder, path)} ${path in actual ? 'has changed' : 'is missing'}` };
    }
    return { folder };
  } catch (error) {
    return { damage: (error as Error).message };
  }
}

/** A folder to fetch into. It becomes the entry by one rename, so a cache never holds half a source. */
export class Staging {
  readonly files: string;
  readonly scratch: string;

  private constructor(private readonly root: string) {
    this.files = join(root, FILES);
    this.scratch = join(root, 'scratch');
  }

  static async create(cache: string): Promise<Staging> {
    const parent = join(cache, 'staging');
    await mkdir(parent, { recursive: true });
    await removeStale(parent);
    const staging = new Staging(await mkdtemp(join(parent, `fetch-${process.pid}-${HOST}-`)));
    await mkdir(staging.files);
    await mkdir(staging.scratch);
    return staging;
  }

  /** Records the files' hashes and puts them in the entry's place; another process's equal entry is left as it is. */
  async commit(entry: string, manifest: Omit<Manifest, 'files'>): Promise<string> {
    await rm(this.scratch, { recursive: true });
    const complete: Manifest = { ...manifest, files: await hashFolder(this.files) };
    await writeFile(join(this.root, MANIFEST), `${JSON.stringify(complete, null, 2)}\n`);
    await mkdir(dirname(entry), { recursive: true });
    try {
      await rename(this.root, entry);
    } catch (error) {
      if (!existsSync(join(entry, MANIFEST))) throw error;
    }
    return join(entry, FILES);
  }

  async remove(): Promise<void> {
    await rm(this.root, { recursive: true, force: true });
  }
}

/** Removes what killed processes left; of another machine's processes, which may share the cache, only the age is known. */
async function removeStale(parent: string): Promise<void> {
  for (const name of await readdir(parent)) {
    const path = join(parent, name);
    const [, pid, host] = /^fetch-(\d+)-(.+)-[^-]+$/.exec(name) ?? [];
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > STALE_MILLISECONDS || (host === HOST && !isAlive(Number(pid))))
      await rm(path, { recursive: true, force: true });
  }
}

/** The sha256 of a file in hexadecimal digits. */
export async function hashFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  if ((await stat(path)).size < STREAMED_BYTES) return hash.update(await readFile(path)).digest('hex');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}

/** The sha256 of every file below a folder, by path with forward slashes. */
async function hashFolder(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const hashes = new Map<string, string>();
  const queue = paths.sort().values();
  const work = async (): Promise<void> => {
    for (const path of queue) hashes.set(relative(folder, path).split(sep).join('/'), await hashFile(path));
  };
  await Promise.all(Array.from({ length: PARALLEL }, work));
  return Object.fromEntries([...hashes].sort(([a], [b]) => (a < b ? -1 : 1)));
}
