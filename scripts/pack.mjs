/**
 * Makes the tarballs that are published, one for each of `packages`, and prints their sizes:
 *
 *     npm run pack [folder]      # default: a folder `tarballs`
 *
 * What is the same for all of them is written here and in the workspace's package.json, not in each package: licence, home page,
 * keywords, engines. Sources stay here, so their export condition does too; the source maps hold their text.
 */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, posix, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const workspace = readJson(join(root, 'package.json'));
const site = workspace.homepage.replace(/#.*/, '');
/** Made for tests, or of use only beside the sources. */
const LEFT_OUT = ['!**/*.d.ts.map', '!**/*fixture*', '!dist/conformance'];

function readJson(file) {
  return JSON.parse(readFileSync(file, 'utf8'));
}

/** Runs npm, its output returned. */
export function npm(args, options = {}) {
  return execFileSync('npm', args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 2 ** 28,
    ...options,
  });
}

/** Packs every package that is not private into `target`; their names with the tarball's path and its bytes, packed and unpacked. */
export function packAll(target) {
  mkdirSync(target, { recursive: true });
  const stage = mkdtempSync(join(tmpdir(), 'hypetune-pack-'));
  try {
    const folders = readdirSync(join(root, 'packages')).filter((name) => {
      const file = join(root, 'packages', name, 'package.json');
      return existsSync(file) && !readJson(file).private;
    });
    for (const name of folders) stagePackage(name, join(stage, name));
    const specs = folders.map((name) => `./${name}`);
    const packed = JSON.parse(
      npm(['pack', ...specs, '--json', '--ignore-scripts', '--pack-destination', resolve(target)], {
        cwd: stage,
      }),
    );
    return packed.map(({ name, filename, size, unpackedSize }) => ({
      ...{ name, file: join(resolve(target), filename), size, unpackedSize },
    }));
  } finally {
    rmSync(stage, { recursive: true, force: true });
  }
}

/** A copy of a package as it is published. */
function stagePackage(name, stage) {
  const folder = join(root, 'packages', name);
  const manifest = readJson(join(folder, 'package.json'));
  if (manifest.scripts?.prepack) npm(['run', 'prepack'], { cwd: folder });
  if (manifest.files.includes('dist') && !existsSync(join(folder, 'dist')))
    throw new Error(`packages/${name}: there is no dist; run "npm run build" first.`);
  for (const file of manifest.files)
    cpSync(join(folder, file), join(stage, file), {
      recursive: true,
      filter: (path) => !isStale(folder, path),
    });
  for (const file of ['CHANGELOG.md'])
    if (existsSync(join(folder, file))) cpSync(join(folder, file), join(stage, file));
  cpSync(join(root, 'LICENSE'), join(stage, 'LICENSE'));
  writeFileSync(
    join(stage, 'README.md'),
    absoluteLinks(readFileSync(join(folder, 'README.md'), 'utf8'), `packages/${name}`),
  );
  for (const file of readdirSync(stage, { recursive: true }))
    if (file.endsWith('.d.ts')) {
      const path = join(stage, file);
      writeFileSync(path, readFileSync(path, 'utf8').replace(/^\/\/# sourceMappingURL=.*\n?/m, ''));
    }
  const { scripts, devDependencies, ...rest } = manifest;
  const published = {
    ...rest,
    homepage: `${site}/tree/main/packages/${name}#readme`,
    bugs: workspace.bugs,
    keywords: [...new Set([...workspace.keywords, ...(manifest.keywords ?? []), name])].sort(),
    engines: workspace.engines,
    files: [...manifest.files, ...LEFT_OUT],
    ...(manifest.exports && { exports: withoutSources(manifest.exports) }),
  };
  writeFileSync(join(stage, 'package.json'), `${JSON.stringify(published, null, 2)}\n`);
}

/** Whether the compiler made a file of a source that is gone. */
function isStale(folder, path) {
  const [, name] =
    /^dist\/(.+?)(?:\.d\.ts|\.js)(?:\.map)?$/.exec(relative(folder, path).replaceAll(sep, '/')) ?? [];
  if (name === undefined || !existsSync(join(folder, 'dist', `${name}.d.ts`))) return false;
  return !existsSync(join(folder, 'src', `${name}.ts`));
}

function withoutSources(value) {
  if (typeof value !== 'object') return value;
  const kept = Object.entries(value).filter(([condition]) => condition !== '@hypetune/source');
  return Object.fromEntries(kept.map(([key, inner]) => [key, withoutSources(inner)]));
}

/** Relative links of a page lead to the repository. */
export function absoluteLinks(text, folder) {
  return text.replace(/\]\((?![a-z]+:|#)([^)\s]+)\)/g, (_, link) => {
    return `](${site}/blob/main/${posix.normalize(posix.join(folder, link))})`;
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const packed = packAll(process.argv[2] ?? 'tarballs');
  const kilobytes = (bytes) => `${(bytes / 1000).toFixed(0)} kB`;
  for (const { name, size, unpackedSize } of packed)
    console.log(
      `${name.padEnd(32)} ${kilobytes(size).padStart(8)} ${kilobytes(unpackedSize).padStart(9)} unpacked`,
    );
  const sum = (key) => kilobytes(packed.reduce((total, { [key]: bytes }) => total + bytes, 0));
  console.log(`${packed.length} packages, ${sum('size')} packed, ${sum('unpackedSize')} unpacked`);
}
