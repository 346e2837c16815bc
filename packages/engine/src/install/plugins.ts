import { createHash } from 'node:crypto';
import { createReadStream, existsSync, readFileSync, readdirSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { cacheFolder, checkSpace, enginesFolder, freeBytes, noSpace } from './cache.js';
import { InstallError } from './error.js';
import type { InstallOptions } from './install.js';
import { withLock } from './lock.js';
import { nvidia } from './nvidia.js';
import { cudaRelease, type PluginRelease } from './plugin-releases.js';
import { downloadWheel, findPythonPlugins } from './python.js';
import { currentPlatform } from './release.js';
import { Wheel } from './wheel.js';

/** A PJRT plugin that can be loaded. */
export interface PluginInstall {
  /** As `jax-cuda13-pjrt-0.10.2-linux-x64`, or `python` for the one of Python's JAX. */
  readonly name: string;
  readonly source: 'python' | 'cache';
  readonly version: string;
  readonly device: 'cuda' | 'cpu';
  /** The folder below which NVIDIA's libraries lie too. */
  readonly folder: string;
  /** The plugin's library. */
  readonly path: string;
  /** Size of what was unpacked; 0 for Python's. */
  readonly bytes: number;
}

const manifestName = 'plugin.json';

/** What the folder of a plugin holds; `plugin` is relative to it. */
interface Manifest {
  readonly version: string;
  readonly device: 'cuda' | 'cpu';
  readonly plugin: string;
  readonly bytes: number;
}

/** The complete plugins of a cache folder, those for CUDA first. */
export function readPlugins(cache: string): PluginInstall[] {
  const engines = enginesFolder(cache);
  if (!existsSync(engines)) return [];
  return readdirSync(engines)
    .filter((name) => !name.includes('.partial') && existsSync(join(engines, name, manifestName)))
    .flatMap((name): PluginInstall[] => {
      const folder = join(engines, name);
      try {
        const manifest = JSON.parse(readFileSync(join(folder, manifestName), 'utf8')) as Manifest;
        const { version, device, plugin, bytes } = manifest;
        const path = join(folder, plugin);
        return existsSync(path) ? [{ name, source: 'cache', version, device, folder, path, bytes }] : [];
      } catch {
        return [];
      }
    })
    .sort((a, b) => b.device.localeCompare(a.device));
}

/** The plugins at hand: those of Python's JAX, then those of the cache. */
export async function listPlugins(
  options: Pick<InstallOptions, 'cacheFolder' | 'python' | 'signal'> = {},
): Promise<PluginInstall[]> {
  const cached = readPlugins(cacheFolder(options.cacheFolder));
  try {
    const found = await findPythonPlugins(options.python ?? 'python3', options.signal);
    return [
      ...found.map((plugin): PluginInstall => ({
        name: 'python',
        source: 'python',
        device: 'cuda',
        bytes: 0,
        ...plugin,
      })),
      ...cached,
    ];
  } catch (error) {
    if (!(error instanceof InstallError && error.code === 'no-python')) throw error;
    return cached;
  }
}

/**
 * Makes XLA's plugin for NVIDIA GPUs available: the one of Python's JAX if there is one, else pinned wheels of it and of
 * NVIDIA's libraries, by pip, each with its sha256. Returns at once if that is done already. Throws InstallError.
 */
export async function installPlugin(
  options: Omit<InstallOptions, 'cuda'> = {},
  release: PluginRelease | undefined = releaseForDriver(),
): Promise<PluginInstall> {
  const { python = 'python3', signal, onProgress } = options;
  const cache = cacheFolder(options.cacheFolder);
  if (release === undefined)
    throw new InstallError(
      'platform',
      `There is no plugin for NVIDIA GPUs on ${currentPlatform()} with driver ${nvidia().driver ?? 'of an unknown version'} ` +
        '(there is for linux-x64 with driver 525 or later). Install without --cuda.',
    );
  const name = `${release.package}-${release.version}-${currentPlatform()}`;
  const ready = (): PluginInstall | undefined => readPlugins(cache).find((plugin) => plugin.name === name);
  const installed = ready();
  if (installed !== undefined) return installed;
  if (release.device === 'cuda') {
    const [found] = await listPlugins(options);
    if (found?.source === 'python') return found;
  }
  await mkdir(cache, { recursive: true });
  const onWait = (holder: number): void =>
    onProgress?.({ stage: 'wait', what: `process ${holder}`, bytes: 0, totalBytes: 0 });
  return withLock(
    join(cache, 'install.lock'),
    async () => ready() ?? (await install({ ...options, python }, cache, name, release)),
    { signal, onWait },
  );
}

/** The release for the driver that is here. */
function releaseForDriver(): PluginRelease | undefined {
  const { driver } = nvidia();
  return cudaRelease(currentPlatform(), driver === undefined ? undefined : Number.parseInt(driver));
}

async function install(
  { python = 'python3', signal, onProgress }: Omit<InstallOptions, 'cuda'>,
  cache: string,
  name: string,
  release: PluginRelease,
): Promise<PluginInstall> {
  const partial = join(enginesFolder(cache), `${name}.partial`);
  const downloads = join(cache, 'downloads');
  await checkSpace(cache, release.bytes, freeBytes);
  await rm(partial, { recursive: true, force: true });
  await mkdir(downloads, { recursive: true });
  try {
    let bytes = 0;
    for (const { requirement, sha256 } of release.wheels) {
      const path = await downloadWheel({
        python,
        requirement,
        release,
        folder: downloads,
        signal,
        onBytes: (loaded) =>
          onProgress?.({ stage: 'download', what: requirement, bytes: loaded, totalBytes: 0 }),
      });
      try {
        bytes += await unpack(path, sha256, partial, signal);
      } finally {
        await rm(path, { force: true });
      }
    }
    const manifest: Manifest = {
      version: release.version,
      device: release.device,
      plugin: release.plugin,
      bytes,
    };
    await writeFile(join(partial, manifestName), JSON.stringify(manifest, undefined, 2));
    const folder = join(enginesFolder(cache), name);
    // One that is damaged makes room.
    await rm(folder, { recursive: true, force: true });
    await rename(partial, folder);
    return readPlugins(cache).find((plugin) => plugin.name === name)!;
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOSPC' || code === 'EDQUOT') throw noSpace(cache, release.bytes);
    throw error;
  }
}

/** Unpacks what is needed to run of a wheel with this checksum; gives its bytes. */
async function unpack(
  path: string,
  sha256: string,
  target: string,
  signal: AbortSignal | undefined,
): Promise<number> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  const found = hash.digest('hex');
  if (found !== sha256)
    throw new InstallError(
      'wheel',
      `${path} has sha256 ${found}, wanted ${sha256}. It has been removed; nothing of it was used.`,
    );
  const wheel = await Wheel.open(path);
  try {
    const names = wheel.names.filter((name) => !/\.dist-info\/|\.a$|\/include\/|\/$/.test(name));
    for (const name of names) await wheel.extract(name, target, { signal });
    return wheel.sizeOf(names);
  } finally {
    wheel.close();
  }
}
