/** The entries that programs import, of every package: the name by which one imports it, and its source. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('../packages', import.meta.url));

export const entries = readdirSync(folder).flatMap((directory) => {
  const { name, exports = {} } = JSON.parse(readFileSync(join(folder, directory, 'package.json'), 'utf8'));
  return Object.entries(exports).flatMap(([entry, { '@hypetune/source': source } = {}]) =>
    source ? [{ name: posix.join(name, entry), source: join(folder, directory, source) }] : [],
  );
});
