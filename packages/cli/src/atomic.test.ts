import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../test/scratch.js';
import { checkOutput, writeFolder, writeWhole } from './atomic.js';

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
