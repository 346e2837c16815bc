import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * The folder of a package that does not belong to this workspace, because it or what it needs has an install script; kept between
 * runs. No script runs.
 */
export function installedPackage(name: string, version: string): string {
  const folder = join(tmpdir(), 'hypetune-runtimes', `${name.replace(/\W/g, '-')}-${version}`);
  const library = join(folder, 'node_modules', name);
  if (existsSync(join(folder, 'done'))) return library;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }');
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund'];
  execFileSync('npm', ['install', ...flags, `${name}@${version}`], { cwd: folder, stdio: 'pipe' });
  // Images are of no concern here, and the sharp of @xenova/transformers loads nothing without its install script.
  if (name.startsWith('@xenova/'))
    writeFileSync(join(folder, 'node_modules/sharp/lib/index.js'), 'module.exports = () => undefined;');
  writeFileSync(join(folder, 'done'), '');
  return library;
}
