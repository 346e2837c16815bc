import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

const home = new URL('../packages/', import.meta.url);

/** Packages' manifests say where each entry stands. */
test.each(readdirSync(home))('%s: sources are reached by our condition alone, which comes first', (name) => {
  const manifest = JSON.parse(readFileSync(new URL(`${name}/package.json`, home), 'utf8')) as {
    readonly exports?: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  };
  for (const entry of Object.values(manifest.exports ?? {})) {
    if (typeof entry === 'string') continue;
    const [[condition, source], ...others] = Object.entries(entry) as [
      [string, string],
      ...[string, string][],
    ];
    // Bundlers and test runners set 'development' by themselves; sources are not in the tarballs.
    expect(condition).toBe('@hypetune/source');
    expect(source).toMatch(/^\.\/src\//);
    for (const [other, file] of others) {
      expect(other).not.toBe('development');
      expect(file).toMatch(/^\.\/dist\//);
    }
  }
});
