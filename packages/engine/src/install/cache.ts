import { existsSync, readFileSync, statSync } from 'node:fs';
import { readdir, statfs } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { InstallError } from './error.js';

/** A TensorFlow that can be loaded. */
export interface EngineInstall {
  /** As `tensorflow-cpu-2.21.0-linux-x64`, or `python` for the one that Python has. */
  readonly name: string;
  readonly source: 'python' | 'cache';
  readonly version: string;
  readonly cuda: boolean;
  readonly folder: string;
  readonly paths: { readonly tensorflow: string; readonly framework: string };
  /** Size of the two libraries. */
  readonly bytes: number;
}

/** What `engine.json` in an installed engine's folder holds; paths are relative to it. */
export interface Manifest {
  version: string;
  cuda: boolean;
  files: { path: string; sha256: string; bytes: number }[];
}

export const manifestName = 'engine.json';

/** Where engines are kept: the option, HYPETUNE_CACHE, XDG_CACHE_HOME/hypetune or ~/.cache/hypetune. */
export function cacheFolder(option?: string): string {
  const { HYPETUNE_CACHE, XDG_CACHE_HOME } = process.env;
  const shared =
    XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '' ? XDG_CACHE_HOME : join(homedir(), '.cache');
  return resolve(
    option ??
      (HYPETUNE_CACHE !== undefined && HYPETUNE_CACHE !== '' ? HYPETUNE_CACHE : join(shared, 'hypetune')),
  );
}

/** The folder of all installed engines. */
export const enginesFolder = (cache: string): string => join(cache, 'engines');

/** The engine in a folder, or undefined unless it is complete: every file there with its size. */
export function readEngine(folder: string, name: string): EngineInstall | undefined {
  try {
    const manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
    const [tensorflow, framework] = manifest.files;
    if (tensorflow === undefined || framework === undefined) return undefined;
    if (manifest.files.some(({ path, bytes }) => statSync(join(folder, path)).size !== bytes))
      return undefined;
    return {
      ...{ name, source: 'cache', version: manifest.version, cuda: manifest.cuda, folder },
      paths: { tensorflow: join(folder, tensorflow.path), framework: join(folder, framework.path) },
      bytes: tensorflow.bytes + framework.bytes,
    };
  } catch {
    return undefined;
  }
}

/** The complete engines of a cache folder. */
export async function readEngines(cache: string): Promise<EngineInstall[]> {
  const folder = enginesFolder(cache);
  if (!existsSync(folder)) return [];
  const names = (await readdir(folder)).filter((name) => !name.includes('.partial')).sort();
  return names.flatMap((name) => readEngine(join(folder, name), name) ?? []);
}

/** Free bytes of the disk that holds a folder (or its first existing parent). */
export async function freeBytes(folder: string): Promise<number> {
  let existing = folder;
  while (!existsSync(existing) && dirname(existing) !== existing) existing = dirname(existing);
  const { bavail, bsize } = await statfs(existing);
  return bavail * bsize;
}

export const megabytes = (bytes: number): string => `${Math.ceil(bytes / 1e6)} MB`;

/** Throws `no-space` if a folder's disk has fewer free bytes than needed. */
export async function checkSpace(
  folder: string,
  needed: number,
  free: (folder: string) => Promise<number>,
): Promise<void> {
  const available = await free(folder);
  if (available < needed) throw noSpace(folder, needed, available);
}

/** The error for a full disk. */
export function noSpace(folder: string, needed: number, available?: number): InstallError {
  const found = available === undefined ? 'the disk is full' : `${megabytes(available)} are free`;
  return new InstallError(
    'no-space',
    `${folder} needs ${megabytes(needed)} for the installation, but ${found}. ` +
      'Free some space, or set HYPETUNE_CACHE to a folder on another disk.',
  );
}
