import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import type { InstallOptions, InstallSurroundings } from './install.js';
import type { PinnedFile, Release } from './release.js';

/** A zip archive with uncompressed entries (APPNOTE 6.3: local headers, central directory, end record). */
export function zip(files: Record<string, string>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, content] of Object.entries(files)) {
    const [path, data] = [Buffer.from(name), Buffer.from(content)];
    const common = Buffer.alloc(26);
    common.writeUInt16LE(20, 0);
    common.writeUInt32LE(crc32(data), 10);
    common.writeUInt32LE(data.length, 14);
    common.writeUInt32LE(data.length, 18);
    common.writeUInt16LE(path.length, 22);
    const tail = Buffer.alloc(14);
    tail.writeUInt32LE(offset, 10);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), common, path, data]);
    central.push(Buffer.concat([Buffer.from('PK\x01\x02\x14\x00'), common, tail, path]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from('PK\x05\x06'), end]);
}

const hash = (content: string): Buffer => createHash('sha256').update(content).digest();

/** A Python wheel with a RECORD of its files. */
export function wheel(files: Record<string, string>, requirements: string[] = []): Buffer {
  const record = Object.entries(files).map(
    ([name, content]) => `${name},sha256=${hash(content).toString('base64url')},${content.length}`,
  );
  const metadata = requirements.map((line) => `Requires-Dist: ${line}`).join('\n');
  return zip({
    ...files,
    'fake-1.0.dist-info/METADATA': metadata,
    'fake-1.0.dist-info/RECORD': record.join('\n'),
  });
}

/** A folder with a `python3` whose pip "downloads" prepared wheels, and the options to install from it. */
export interface Scene {
  folder: string;
  cache: string;
  options: InstallOptions;
  surroundings: InstallSurroundings;
  /** Replaces the shell code that stands for `pip download`; `$dest` and `$requirement` are set. */
  setPip(code: string): Promise<void>;
}

export const libraryText: string = 'the library '.repeat(2000);
export const frameworkText: string = 'the framework '.repeat(1000);

const pinned = (path: string, content: string): PinnedFile => ({
  path,
  sha256: hash(content).toString('hex'),
  bytes: content.length,
});

const scenes: string[] = [];

/** Removes the folders of all scenes. */
export async function removeScenes(): Promise<void> {
  for (const folder of scenes.splice(0)) await rm(folder, { recursive: true, force: true });
}

/** A scene whose pip copies `fake-1.0-py3.whl`; `found` is what the search for an installed TensorFlow prints. */
export async function scene(found: object | null = null): Promise<Scene> {
  const folder = await mkdtemp(join(tmpdir(), 'hypetune-install-'));
  scenes.push(folder);
  const paths = ['tensorflow/libtensorflow_cc.so.2', 'tensorflow/libtensorflow_framework.so.2'] as const;
  const content = { [paths[0]]: libraryText, [paths[1]]: frameworkText, 'tensorflow/other.py': 'pass' };
  const bytes = wheel(content, ['fake-nvidia<2,>=1; extra == "and-cuda"', 'numpy']);
  await writeFile(join(folder, 'good.whl'), bytes);
  const nvidia = { 'nvidia/cublas/lib/libcublas.so.12': 'blas', 'nvidia/cublas/include/a.h': 'header' };
  await writeFile(join(folder, 'nvidia.whl'), wheel(nvidia));
  const cache = join(folder, 'cache');
  const python = join(folder, 'python3');
  const setPip = async (code: string): Promise<void> => {
    const lines = [
      '#!/bin/sh',
      `here='${folder}'`,
      `if [ "$1" = -c ]; then echo '${JSON.stringify(found)}'; exit 0; fi`,
    ];
    lines.push('for last; do :; done; requirement="$last"', 'echo "$requirement" >> "$here/calls"');
    lines.push('while [ $# -gt 0 ]; do if [ "$1" = --dest ]; then dest="$2"; fi; shift; done', code);
    await writeFile(python, lines.join('\n'));
    await chmod(python, 0o755);
  };
  await setPip('cp "$here/good.whl" "$dest/fake-1.0-py3-none-any.whl"');
  await mkdir(cache);
  const release: Release = {
    ...{
      package: 'fake',
      version: '1.0',
      platforms: ['any'],
      pythonVersion: '3.11',
      wheelBytes: bytes.length,
    },
    tensorflow: pinned(paths[0], libraryText),
    framework: pinned(paths[1], frameworkText),
  };
  const surroundings: InstallSurroundings = {
    release: () => release,
    platform: 'here',
    free: () => Promise.resolve(1e12),
  };
  return { folder, cache, options: { python, cacheFolder: cache }, surroundings, setPip };
}
