import { readFile, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/** `from './a.js'`, `import './a.js'`, `import('./a.js')` and `require('./a.js')` of a file beside. */
const RELATIVE = /\b(?:from|import|require)\s*\(?\s*(['"])(\.{1,2}(?:\/[^'"\n]*)?)\1/g;

/** The files and those that they import by relative paths, each once, in the order in which they are met. */
export async function withImports(files: readonly string[]): Promise<string[]> {
  const found = new Set(files);
  for (const file of found)
    for (const [, , path] of (await readFile(file, 'utf8')).matchAll(RELATIVE)) {
      const imported = await fileOf(resolve(dirname(file), path!));
      if (imported !== undefined) found.add(imported);
    }
  return [...found];
}

/** The file that a path without its ending, with that of the compiled file or of a folder stands for. */
async function fileOf(path: string): Promise<string | undefined> {
  const source = path.replace(/\.([cm]?)js$/, '.$1ts');
  const endings = ['.ts', '.js', '/index.ts', '/index.js'];
  for (const candidate of [path, source, ...endings.map((ending) => `${path}${ending}`)])
    if ((await stat(candidate).catch(() => undefined))?.isFile()) return candidate;
  return undefined;
}
