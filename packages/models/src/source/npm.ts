import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { type FetchContext, whileGrowing } from './fetcher.js';

/** Downloads a package's tarball by npm, from the registry that npm is set to; no script of it runs. */
export async function fetchTarball(context: FetchContext): Promise<string | undefined> {
  const { source, version, staging, signal, tried } = context;
  const target = join(staging.scratch, 'tarball');
  await mkdir(target);
  const specifier = version === undefined ? source.name : `${source.name}@${version}`;
  const cache = join(staging.scratch, 'npm-cache');
  const args = [
    'pack',
    specifier,
    '--pack-destination',
    target,
    '--ignore-scripts',
    '--cache',
    cache,
    '--loglevel',
    'error',
  ];
  const result = await whileGrowing(
    cache,
    (bytes) => {
      context.report(bytes);
    },
    () => runCommand('npm', args, { folder: staging.scratch, signal }),
  );
  const tarball = (await readdir(target)).find((name) => name.endsWith('.tgz'));
  if (result.code === 0 && tarball !== undefined) return join(target, tarball);
  tried.push(`npm pack ${specifier}: ${result.reason}`);
  return undefined;
}
