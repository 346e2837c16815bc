/**
 * `npm run release`: looks whether this checkout could be published, and says what would be. `-- --publish` then does it: tarballs to the
 * registry that npm is logged in to, those that are there already left out, and a tag.
 *
 * Looked at are: the tree is clean; no changeset waits; all versions are one, and so is what packages ask of each other; generated pages
 * are current; every table of figures names what made it; the tarballs install and work in an empty folder. `--skip-install` leaves the
 * last out, which takes minutes.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { packAll } from './pack.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const flags = process.argv.slice(2);
const unknown = flags.find((flag) => !['--publish', '--skip-install'].includes(flag));
if (unknown) {
  console.error(`release: there is no ${unknown}; there are --publish and --skip-install.`);
  process.exit(1);
}
const [publish, skipInstall] = ['--publish', '--skip-install'].map((flag) => flags.includes(flag));
if (publish && skipInstall) {
  console.error('release: what is published is installed first; leave --skip-install out.');
  process.exit(1);
}

/** What a program prints, or its mistake. */
function output(command, ...args) {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd: root, encoding: 'utf8' });
  return { ok: status === 0, text: `${stdout ?? ''}${stderr ?? ''}`.trim() };
}

const manifests = readdirSync(join(root, 'packages'))
  .map((name) => JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8')))
  .filter((manifest) => !manifest.private);
const names = new Set(manifests.map(({ name }) => name));
const { version } = manifests.find(({ name }) => name === 'hypetune');

function cleanTree() {
  const { text } = output('git', 'status', '--porcelain');
  return text && `files are changed or not committed:\n${text}`;
}

function noChangesets() {
  const waiting = readdirSync(join(root, '.changeset')).filter((name) => name.endsWith('.md'));
  return waiting.length > 0 && `${waiting.length} changesets wait: npm run version, and commit`;
}

function oneVersion() {
  const citation = /^version: (.*)$/m.exec(readFileSync(join(root, 'CITATION.cff'), 'utf8'))?.[1];
  const wrong = [
    ...(citation === version ? [] : [`CITATION.cff is of ${citation}`]),
    ...manifests.flatMap((manifest) => [
      ...(manifest.version === version ? [] : [`${manifest.name} is ${manifest.version}`]),
      ...Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })
        .filter(([name, wanted]) => names.has(name) && wanted !== version)
        .map(([name, wanted]) => `${manifest.name} asks for ${name} ${wanted}`),
    ]),
  ];
  return wrong.length > 0 && `not all are ${version}:\n${wrong.join('\n')}`;
}

/** A check by a program: what it prints is what is wrong. */
const passes =
  (command, ...args) =>
  () => {
    const { ok, text } = output(command, ...args);
    return !ok && text.slice(-4000);
  };

const checks = [
  ['the tree is clean', cleanTree],
  ['no changeset waits', noChangesets],
  [`every version is ${version}`, oneVersion],
  ['generated pages are current', passes('npm', 'run', '-s', 'docs', '--', '--check')],
  ['every table of figures names what made it', passes('npx', 'vitest', 'run', 'test/provenance.test.ts')],
  ['the build', passes('npx', 'tsc', '-b')],
  ...(skipInstall ? [] : [['the tarballs install and work', passes('node', 'scripts/test-packages.mjs')]]),
];
let wrong = 0;
for (const [what, check] of checks) {
  const mistake = check();
  console.log(
    `${mistake ? 'NO' : 'ok'}  ${what}${mistake ? `\n    ${mistake.replaceAll('\n', '\n    ')}` : ''}`,
  );
  if (mistake) wrong += 1;
}
if (wrong > 0) {
  console.log(`\nnot to be released: ${wrong} of ${checks.length} checks failed`);
  process.exit(1);
}

const target = mkdtempSync(join(tmpdir(), 'hypetune-release-'));
try {
  for (const { name, file, size } of packAll(target)) {
    const there = output('npm', 'view', `${name}@${version}`, 'version').text === version;
    console.log(
      `${there ? 'is there' : publish ? 'publish ' : 'would be'}  ${name} ${version}, ${Math.round(size / 1000)} kB`,
    );
    if (publish && !there)
      execFileSync('npm', ['publish', file, '--access', 'public'], { cwd: root, stdio: 'inherit' });
  }
} finally {
  rmSync(target, { recursive: true, force: true });
}
if (publish) execFileSync('git', ['tag', `v${version}`], { cwd: root, stdio: 'inherit' });
console.log(
  publish
    ? `released; git push origin v${version}`
    : '\nnothing was published; npm run release -- --publish does it',
);
