import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, enginesFolder } from '../install/cache.js';

/** The CPU plugin that tests use: the file HYPETUNE_PJRT_PLUGIN, else the one that was installed for tests. */
export function findTestPlugin(): string | undefined {
  const given = process.env['HYPETUNE_PJRT_PLUGIN'];
  const installed = join(
    enginesFolder(cacheFolder()),
    'lammps-jax-pjrt-cpu-0.11.2-linux-x64/lammps_jax_pjrt_cpu/pjrt_c_api_cpu_plugin.so',
  );
  const path = given ?? (existsSync(installed) ? installed : undefined);
  if (path === undefined)
    console.log('Skipped: no PJRT plugin. Set HYPETUNE_PJRT_PLUGIN to the file of one, or install the one for tests.');
  return path;
}
