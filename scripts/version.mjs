/**
 * `npm run version`: makes of the pending changesets the next version and CHANGELOG.md of every package, and pins what packages of this
 * workspace ask of each other to that version. (To changesets a new peer is a breaking change, so that pins of peers would
 * make every release a major one; while it counts, they ask for any.)
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = [...readdirSync(join(root, 'packages')).map((name) => `packages/${name}`), 'examples', 'test']
  .map((folder) => join(root, folder, 'package.json'))
  .filter((file) => existsSync(file));
const read = (file) => JSON.parse(readFileSync(file, 'utf8'));
const names = new Set(files.map((file) => read(file).name));

/** Rewrites what every package asks of the others. */
function pin(kinds, version) {
  for (const file of files) {
    const manifest = read(file);
    for (const kind of kinds)
      for (const name of Object.keys(manifest[kind] ?? {}))
        if (names.has(name)) manifest[kind][name] = version;
    writeFileSync(file, `${JSON.stringify(manifest, null, 2)}\n`);
  }
}

pin(['peerDependencies'], '*');
execFileSync('npx', ['changeset', 'version'], { cwd: root, stdio: 'inherit' });
const { version } = read(join(root, 'packages/core/package.json'));
pin(['dependencies', 'peerDependencies', 'devDependencies'], version);
for (const file of files) {
  const manifest = read(file);
  writeFileSync(file, `${JSON.stringify({ ...manifest, version }, null, 2)}\n`);
}
const citation = join(root, 'CITATION.cff');
writeFileSync(citation, readFileSync(citation, 'utf8').replace(/^version: .*$/m, `version: ${version}`));
execFileSync('npm', ['install', '--package-lock-only', '--ignore-scripts', '--no-audit', '--no-fund'], {
  cwd: root,
  stdio: 'inherit',
});
console.log(`every package is ${version}; look at the changelogs, commit, then npm run release`);
