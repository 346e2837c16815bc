import { existsSync, readFileSync, realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';

/** The file that `import` takes of an installed package, or of a part of one, as a file of the project sees it. Throws where it is not installed. */
export function packageModule(specifier: string, from: string): string {
  const require = createRequire(resolve(from));
  const [, name = specifier, part = ''] = /^((?:@[^/]+\/)?[^/]+)(\/.*)?$/.exec(specifier) ?? [];
  const home = (require.resolve.paths(specifier) ?? [])
    .map((folder) => join(folder, name))
    .find((folder) => existsSync(join(folder, 'package.json')));
  const target = home && exported(home, `.${part}`);
  // What has no exports, or a pattern of them, is the same to import as to require.
  return target === undefined ? require.resolve(specifier) : realpathSync(join(home!, target));
}

/** What stands under `part` in the exports of a package. */
function exported(home: string, part: string): string | undefined {
  const { exports } = JSON.parse(readFileSync(join(home, 'package.json'), 'utf8')) as { exports?: unknown };
  const hasParts =
    typeof exports === 'object' && Object.keys(exports ?? {}).some((key) => key.startsWith('.'));
  if (hasParts) return chosen((exports as Record<string, unknown>)[part]);
  return part === '.' ? chosen(exports) : undefined;
}

/** The first target whose conditions are those of `import` in Node. */
function chosen(target: unknown): string | undefined {
  if (typeof target === 'string') return target;
  if (typeof target !== 'object' || target === null) return undefined;
  const conditions = ['import', 'module-sync', 'node', 'default'];
  const open = Object.entries(target).filter(([key]) => target instanceof Array || conditions.includes(key));
  return open.map(([, inner]) => chosen(inner)).find((file) => file !== undefined);
}
