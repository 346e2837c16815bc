import { cacheFolder } from '../install/cache.js';
import { testRelease } from '../install/plugin-releases.js';
import { installPlugin, readPlugins } from '../install/plugins.js';

/**
 * The CPU plugin that tests use: the file HYPETUNE_PJRT_PLUGIN, else the one in the cache, where deep tests put it. Undefined,
 * with the reason printed, without any.
 */
export async function findTestPlugin(): Promise<string | undefined> {
  const given = process.env['HYPETUNE_PJRT_PLUGIN'];
  if (given !== undefined && given !== '') return given;
  const installed = readPlugins(cacheFolder()).find(({ device }) => device === 'cpu');
  if (installed !== undefined) return installed.path;
  let reason = 'deep tests (HYPETUNE_DEEP=1) install one';
  try {
    if (process.env['HYPETUNE_DEEP'] !== undefined) return (await installPlugin({}, testRelease)).path;
  } catch (error) {
    reason = (error as Error).message;
  }
  console.log(`Skipped: there is no PJRT plugin for processors here; ${reason}.`);
  return undefined;
}
