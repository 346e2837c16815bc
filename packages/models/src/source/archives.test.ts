import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, expect, test, vi } from 'vitest';
import { archivePath } from './archive-path.js';
import { tarOf, zipOf } from '../../fixtures/archives.js';
import { untar } from './tarball.js';
import { unzip } from './zip.js';

const root = mkdtempSync(join(tmpdir(), 'archives-'));
afterAll(() => {
  rmSync(root, { recursive: true });
});

/** Writes an archive and unpacks it; the files by path. */
async function unpack(kind: 'zip' | 'tar', bytes: Uint8Array): Promise<Record<string, string>> {
  const folder = mkdtempSync(join(root, 'unpacked-'));
  const archive = join(root, `archive-${String(Math.random())}`);
  writeFileSync(archive, kind === 'tar' ? gzipSync(bytes) : bytes);
  await (kind === 'zip' ? unzip : untar)(archive, folder);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  const paths = files.map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(paths.map((path) => [path.slice(folder.length + 1), readFileSync(path, 'utf8')]));
}

test('a zip and a tarball are unpacked, folders and long names included', async () => {
  const long = `${'deep/'.repeat(30)}file.txt`;
  const files = { 'package/a.txt': 'one', 'package/empty': '', [`package/${long}`]: 'x'.repeat(1000) };
  expect(await unpack('zip', zipOf(files))).toEqual(files);
  expect(await unpack('tar', tarOf(files))).toEqual({ 'a.txt': 'one', empty: '', [long]: 'x'.repeat(1000) });
});

test.each(['../evil', 'package/../../evil', '/evil', 'a\\..\\evil', 'C:/evil'])(
  'the entry "%s" is refused in a zip and in a tarball',
  async (name) => {
    await expect(unpack('zip', zipOf({ [name]: 'x' }))).rejects.toThrow();
    await expect(unpack('tar', tarOf({ [name]: 'x' }))).rejects.toThrow(/leads out of the archive/);
    expect(existsSync(join(root, 'evil'))).toBe(false);
    expect(() => archivePath(root, name, 'x.zip')).toThrow(/x\.zip: the entry .* leads out/);
  },
);

test('links are refused', async () => {
  await expect(unpack('tar', tarOf({ 'package/link': 'x' }, { type: '2' }))).rejects.toThrow(/is a link/);
  await expect(unpack('zip', zipOf({ link: '/etc/passwd' }, { mode: 0o120777 }))).rejects.toThrow(
    /is a link/,
  );
});

afterEach(() => {
  vi.unstubAllEnvs();
});

test.each(['zip', 'tar'] as const)('a %s that unpacks to more than the limit is refused', async (kind) => {
  const bytes = (kind === 'zip' ? zipOf : tarOf)({
    'package/a': 'x'.repeat(1500),
    'package/b': 'x'.repeat(1500),
  });
  vi.stubEnv('HYPETUNE_UNPACK_LIMIT', '2000');
  await expect(unpack(kind, bytes)).rejects.toThrow(
    'it unpacks to more than 2000 bytes, so nothing of it is used',
  );
  vi.stubEnv('HYPETUNE_UNPACK_LIMIT', '10000');
  expect(Object.keys(await unpack(kind, bytes))).toHaveLength(2);
  vi.stubEnv('HYPETUNE_UNPACK_LIMIT', 'many');
  await expect(unpack(kind, bytes)).rejects.toThrow(
    "HYPETUNE_UNPACK_LIMIT must be a number of bytes, got 'many'.",
  );
});

test('two entries in one place are refused by name; in a tarball the later file of a name counts', async () => {
  const twice = { 'package/a': 'one', 'package/./a': 'two' };
  await expect(unpack('zip', zipOf(twice))).rejects.toThrow(
    /the entry "package\/\.\/a" has the place of another/,
  );
  expect(await unpack('tar', tarOf(twice))).toEqual({ a: 'two' });
  const within = { 'package/a': 'one', 'package/a/b': 'two' };
  await expect(unpack('zip', zipOf(within))).rejects.toThrow(/has the place of another/);
  await expect(unpack('tar', tarOf(within))).rejects.toThrow(/has the place of another/);
});

test('damaged archives are refused', async () => {
  const tar = tarOf({ 'package/a': 'x'.repeat(2000) });
  await expect(unpack('tar', tar.subarray(0, 1024))).rejects.toThrow(/ends inside a file/);
  await expect(unpack('tar', tar.subarray(0, 2560))).rejects.toThrow(/its end is missing/);
  const changed = tar.slice();
  changed[3]! ^= 1;
  await expect(unpack('tar', changed)).rejects.toThrow(/wrong checksum/);
  await expect(unpack('zip', new Uint8Array(50))).rejects.toThrow(/not a readable zip/);
  // Its entry is said to be deflated, which it is not.
  const packed = Buffer.from(zipOf({ a: 'x'.repeat(2000) }));
  packed[8] = packed[packed.indexOf('PK\x01\x02') + 10] = 8;
  await expect(unpack('zip', packed)).rejects.toThrow(/the entry "a" is damaged: .* Download it again/);
  const archive = join(root, 'cut.tgz');
  writeFileSync(archive, gzipSync(tar).subarray(0, 40));
  await expect(untar(archive, join(root, 'cut'))).rejects.toThrow(
    /cut\.tgz: damaged tar: .* Download it again/,
  );
});
