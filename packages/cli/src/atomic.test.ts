import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import fs from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { hostname, uptime } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { scratch } from '../test/scratch.js';
import { checkOutput, recover, writeFolder, writeWhole } from './atomic.js';

const { folder, write } = scratch();

test('a folder appears whole, replacing what was there', async () => {
  const target = join(folder, 'a/run');
  for (const text of ['one', 'two']) {
    await writeFolder(target, async (fresh) => {
      expect(existsSync(join(target, `${text}.txt`))).toBe(false);
      writeFileSync(join(fresh, `${text}.txt`), text);
      return Promise.resolve();
    });
  }
  expect(readdirSync(target)).toEqual(['two.txt']);
  expect(readdirSync(join(folder, 'a'))).toEqual(['run']);
});

test('of many that write one folder at once, and mend it, one stays whole and nothing else', async () => {
  const target = join(folder, 'at-once/run');
  const writers = Array.from({ length: 24 }, async (_, i) => {
    await writeFolder(target, (fresh) => {
      for (const name of ['a.txt', 'b.txt']) writeFileSync(join(fresh, name), String(i));
      return Promise.resolve();
    });
    await recover(target);
  });
  await Promise.all(writers);
  expect(readdirSync(target).sort()).toEqual(['a.txt', 'b.txt']);
  expect(readFileSync(join(target, 'a.txt'), 'utf8')).toBe(readFileSync(join(target, 'b.txt'), 'utf8'));
  expect(readdirSync(dirname(target))).toEqual(['run']);
});

test('a write that fails leaves what was there and nothing else', async () => {
  const target = join(folder, 'b/run');
  mkdirSync(target, { recursive: true });
  writeFileSync(join(target, 'old.txt'), 'old');
  const broken = writeFolder(target, (fresh) => {
    writeFileSync(join(fresh, 'half.txt'), 'half');
    return Promise.reject(new Error('disk full'));
  });
  await expect(broken).rejects.toThrow('disk full');
  expect(readdirSync(join(folder, 'b'))).toEqual(['run']);
  expect(readdirSync(target)).toEqual(['old.txt']);
});

test('where what is half written cannot be removed either, the error is that of the write', async () => {
  const { rm } = fs;
  fs.rm = () => Promise.reject(new Error('the disk is gone'));
  syncBuiltinESMExports();
  try {
    const full = (): Promise<void> => Promise.reject(new Error('disk full'));
    await expect(writeFolder(join(folder, 'b2/run'), full)).rejects.toThrow('disk full');
    mkdirSync(join(folder, 'b2/a-folder'));
    await expect(writeWhole(join(folder, 'b2/a-folder'), '')).rejects.toThrow('EISDIR');
  } finally {
    fs.rm = rm;
    syncBuiltinESMExports();
  }
  await recover(join(folder, 'b2/run'));
  await recover(join(folder, 'b2/a-folder'));
  expect(readdirSync(join(folder, 'b2'))).toEqual(['a-folder']);
});

test('a file is written whole, its folder made', async () => {
  const file = join(folder, 'c/d.json');
  await writeWhole(file, '{}');
  expect(readFileSync(file, 'utf8')).toBe('{}');
  expect(readdirSync(join(folder, 'c'))).toEqual(['d.json']);
});

test('a folder that holds something is refused unless forced', async () => {
  write('full/x', '');
  await expect(checkOutput(join(folder, 'full'), false)).rejects.toThrow(
    "full' is not empty; name another folder or add --force",
  );
  await expect(checkOutput(join(folder, 'full/x'), true)).rejects.toThrow('is a file');
  await checkOutput(join(folder, 'full'), true);
  await checkOutput(join(folder, 'fresh'), false);
});

describe('what a killed process left beside a folder', () => {
  /** No process has this number: the kernel gives smaller ones. */
  const DEAD = 2 ** 22 + 1;
  const beside = (name: string): string => join(folder, name);

  test('a complete save that had not taken its place takes it', async () => {
    write(`d1/.run.new-${DEAD}-${hostname()}-aa/.complete`, '');
    write(`d1/.run.new-${DEAD}-${hostname()}-aa/x`, 'new');
    write(`d1/.run.old-${DEAD}-${hostname()}-bb/x`, 'old');
    await recover(beside('d1/run'));
    expect(readdirSync(beside('d1'))).toEqual(['run']);
    expect(readdirSync(beside('d1/run'))).toEqual(['x']);
    expect(readFileSync(beside('d1/run/x'), 'utf8')).toBe('new');
  });

  test('else the one before comes back', async () => {
    write(`d2/.run.new-${DEAD}-${hostname()}-aa/x`, 'half');
    write(`d2/.run.old-${DEAD}-${hostname()}-bb/x`, 'old');
    await recover(beside('d2/run'));
    expect(readdirSync(beside('d2'))).toEqual(['run']);
    expect(readFileSync(beside('d2/run/x'), 'utf8')).toBe('old');
  });

  test('leftovers go where the folder stands, also those of a process that had our number', async () => {
    write('d3/run/x', 'good');
    write(`d3/.run.new-${process.pid}-${hostname()}-aa/x`, 'half');
    write(`d3/.run.old-${DEAD}-${hostname()}-aa/x`, 'old');
    write('d3/.run.notes', 'not ours');
    await writeFolder(beside('d3/run'), async (fresh) => {
      writeFileSync(join(fresh, 'x'), 'better');
      return Promise.resolve();
    });
    expect(readdirSync(beside('d3')).sort()).toEqual(['.run.notes', 'run']);
    expect(readFileSync(beside('d3/run/x'), 'utf8')).toBe('better');
  });

  test('half a file goes when the file is written again', async () => {
    write(`d5/.out.json.new-${DEAD}-${hostname()}-aa`, '{"ha');
    await writeWhole(beside('d5/out.json'), '{}');
    expect(readdirSync(beside('d5'))).toEqual(['out.json']);
  });

  test('what is older than the start of the machine goes, whatever process has its number now', async () => {
    const old = write(`d6/.run.new-${process.ppid}-${hostname()}-aa/x`, 'half').replace(/\/x$/, '');
    const beforeStart = Date.now() / 1000 - uptime() - 60;
    utimesSync(old, beforeStart, beforeStart);
    await recover(beside('d6/run'));
    expect(readdirSync(beside('d6'))).toEqual([]);
  });

  test("another process's save under way is left alone", async () => {
    write(`d4/.run.new-${process.ppid}-${hostname()}-aa/x`, 'half');
    await recover(beside('d4/run'));
    expect(readdirSync(beside('d4'))).toEqual([`.run.new-${process.ppid}-${hostname()}-aa`]);
  });

  test("another machine's save is left alone for a day, whatever runs here", async () => {
    const left = ['aa', 'bb', 'cc'].map((end) =>
      dirname(write(`d7/.run.new-${DEAD}-node-2.cluster-${end}/x`, 'half')),
    );
    const day = Date.now() / 1000 - 24 * 3600;
    utimesSync(left[1]!, day + 60, day + 60);
    utimesSync(left[2]!, day - 60, day - 60);
    await recover(beside('d7/run'));
    expect(left.map((path) => existsSync(path))).toEqual([true, true, false]);
  });

  test('a save under way names its process and its machine', async () => {
    await writeFolder(beside('d8/run'), (fresh) => {
      expect(basename(fresh)).toMatch(/^\.run\.new-/);
      expect(basename(fresh)).toContain(`-${process.pid}-${hostname()}-`);
      return Promise.resolve();
    });
  });
});

test('a place where nothing can be saved is found before any work', async () => {
  symlinkSync(join(folder, 'nowhere'), join(folder, 'dangling'));
  await expect(checkOutput(join(folder, 'dangling'), false)).rejects.toThrow('is a link to nothing');
  write('file', '');
  await expect(checkOutput(join(folder, 'file/run'), false)).rejects.toThrow('a part of the path is a file');
});

test.skipIf(process.platform !== 'linux')(
  'so are a file system that takes nothing and a mount point',
  async () => {
    await expect(checkOutput('/proc/run', false)).rejects.toThrow("nothing can be saved at '/proc/run'");
    await expect(checkOutput('/dev/shm', true)).rejects.toThrow("'/dev/shm' is a mount point");
  },
);

test('a link to a folder stays a link, its folder is replaced', async () => {
  write('real/x', 'old');
  symlinkSync(join(folder, 'real'), join(folder, 'link'));
  await writeFolder(join(folder, 'link'), async (fresh) => {
    writeFileSync(join(fresh, 'y'), 'new');
    return Promise.resolve();
  });
  expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
  expect(readdirSync(join(folder, 'real'))).toEqual(['y']);
});
