import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { InstallOptions } from '../install/install.js';
import { hasNvidiaGpu } from '../install/nvidia.js';
import { listPlugins } from '../install/plugins.js';
import type { ClientOption } from './client.js';
import type { CompilerSettings } from './compile-options.js';

/** A plugin, and what its client is told. */
export interface PjrtPlugin {
  readonly path: string;
  readonly options: Readonly<Record<string, ClientOption>>;
  /** What the compiler is told. */
  readonly settings: CompilerSettings;
}

/**
 * What the client of a CUDA plugin is told: to take memory as it needs it, since others may use the card, and at most this
 * part of it.
 */
const CUDA_OPTIONS = { preallocate: false, memory_fraction: 0.9 };

/** Where the CUDA compiler's files lie below a folder of wheels. */
const COMPILERS = ['nvidia/cu13', 'nvidia/cuda_nvcc'];

/** The plugin that HYPETUNE_PJRT_PLUGIN names, else the installed one for the NVIDIA GPU of this machine, if it has one. */
export async function findPlugin(
  options: Pick<InstallOptions, 'cacheFolder' | 'python'>,
): Promise<PjrtPlugin | undefined> {
  const named = process.env['HYPETUNE_PJRT_PLUGIN'];
  if (named !== undefined && named !== '') return { path: named, options: {}, settings: {} };
  if (!hasNvidiaGpu()) return undefined;
  const plugin = (await listPlugins(options)).find(({ device }) => device === 'cuda');
  if (plugin === undefined) return undefined;
  const compiler = COMPILERS.map((path) => join(plugin.folder, path)).find((path) => existsSync(path));
  return {
    path: plugin.path,
    options: CUDA_OPTIONS,
    settings: compiler === undefined ? {} : { xla_gpu_cuda_data_dir: compiler },
  };
}
