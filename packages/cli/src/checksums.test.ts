import { appendFileSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../test/scratch.js';
import { checkChecksums, writeChecksums } from './checksums.js';

const { folder, write } = scratch();

test('a file that changed or went is named; a folder without a list passes', async () => {
  write('run/a.txt', 'one');
  write('run/b.txt', 'two');
  await checkChecksums(join(folder, 'run'));
  await writeChecksums(join(folder, 'run'));
  await checkChecksums(join(folder, 'run'));
  appendFileSync(join(folder, 'run/b.txt'), '!');
  await expect(checkChecksums(join(folder, 'run'))).rejects.toThrow(
    'b.txt: the file is not the one that was saved',
  );
  await checkChecksums(join(folder, 'run'), (name) => name !== 'b.txt');
  rmSync(join(folder, 'run/b.txt'));
  await expect(checkChecksums(join(folder, 'run'))).rejects.toThrow('b.txt: the file is gone');
  write('run/checksums.sha256', 'nonsense\n# 1 files\n');
  await expect(checkChecksums(join(folder, 'run'))).rejects.toThrow(
    'checksums.sha256:1: this line is damaged.',
  );
});

test('a list that lost a line or its end is told from a whole one', async () => {
  write('cut/a.txt', 'one');
  write('cut/b.txt', 'two');
  await writeChecksums(join(folder, 'cut'));
  const list = readFileSync(join(folder, 'cut/checksums.sha256'), 'utf8');
  for (let length = 0; length < list.length; length++) {
    write('cut/checksums.sha256', list.slice(0, length));
    await expect(checkChecksums(join(folder, 'cut'))).rejects.toThrow(
      'checksums.sha256: the list is not whole; restore or delete it.',
    );
  }
});
