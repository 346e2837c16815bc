import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { METHODS } from './methods.js';
import { pluginFiles } from './plugin-template.js';
import { version } from './version.js';

/**
 * Makes a package for a method of one's own in `folder`, which must not exist or be empty: a declaration that
 * taps one hook, a formula, tests, all of which pass as they stand, and a page. In `packages` of a checkout it gets the shape of the packages
 * there and a line in the build, elsewhere the shape of a package that stands alone. Returns the paths of the files made.
 */
export function newPlugin(folder: string, name: string): string[] {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name))
    throw new HypetuneError(`new-plugin: the name must be kebab-case, as my-noise, got '${name}'.`);
  if (METHODS.has(name))
    throw new HypetuneError(`new-plugin: there is a method '${name}' already; take another name.`);
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new HypetuneError(`new-plugin: ${folder} is a file; name a folder.`);
  if (existsSync(folder) && readdirSync(folder).length > 0)
    throw new HypetuneError(`new-plugin: ${folder} is not empty; give a new folder.`);
  const root = checkoutAbove(folder);
  const files = pluginFiles(name, {
    version,
    ...(root && { base: relative(folder, join(root, 'tsconfig.base.json')) }),
  });
  if (root) addReference(join(root, 'tsconfig.json'), `packages/${basename(folder)}`);
  return Object.entries(files).map(([path, text]) => {
    const file = join(folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  });
}

/** Makes the build of a checkout know the package. */
function addReference(file: string, path: string): void {
  const config = JSON.parse(readFileSync(file, 'utf8')) as { references: { path: string }[] };
  if (config.references.some((reference) => reference.path === path)) return;
  config.references.push({ path });
  writeFileSync(file, `${JSON.stringify(config, undefined, 2)}\n`);
}

/** The root of the checkout whose `packages` folder holds this folder, if it does. */
export function checkoutAbove(folder: string): string | undefined {
  const root = dirname(dirname(resolve(folder)));
  const file = join(root, 'package.json');
  if (!existsSync(file)) return undefined;
  const { name } = JSON.parse(readFileSync(file, 'utf8')) as { name?: string };
  return name === 'hypetune-workspace' ? root : undefined;
}
