#!/usr/bin/env node
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import module from 'node:module';
import { fileURLToPath } from 'node:url';

const main = new URL('../dist/main.js', import.meta.url);
const root = new URL('../../../', import.meta.url);

if (!existsSync(main)) {
  const compiler = new URL('node_modules/typescript/bin/tsc', root);
  if (!existsSync(compiler)) {
    process.stderr.write('error: hypetune is not built; in a checkout, run: npm ci && npx tsc -b\n');
    process.exit(1);
  }
  process.stderr.write('hypetune is not built yet: building it once (tsc -b)\n');
  const { status } = spawnSync(process.execPath, [fileURLToPath(compiler), '-b'], {
    cwd: fileURLToPath(root),
    stdio: ['ignore', 2, 2],
  });
  if (status !== 0) process.exit(1);
}
// Node 22 and later keep what they compiled of the JavaScript for the next start, a fifth of the time of `--version`.
module.enableCompileCache?.();
await import(main.href);
