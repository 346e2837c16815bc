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

/** A changeset that names no package ends `changeset version` with an error, for all of them. */
test('every changeset names packages that there are', () => {
  const names = readdirSync(home).map((name) => {
    return (JSON.parse(readFileSync(new URL(`${name}/package.json`, home), 'utf8')) as { name: string }).name;
  });
  const folder = new URL('../.changeset/', import.meta.url);
  for (const file of readdirSync(folder).filter((name) => name.endsWith('.md'))) {
    const [, head] = /^---\n(.*?)\n---\n/s.exec(readFileSync(new URL(file, folder), 'utf8'))!;
    for (const [, name] of head!.matchAll(/^'(.*)': (?:patch|minor|major)$/gm))
      expect(names, file).toContain(name);
    expect(
      head!.split('\n').filter((line) => !/^'.*': (patch|minor|major)$/.test(line)),
      file,
    ).toEqual([]);
  }
});
