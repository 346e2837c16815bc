import { appendFileSync, rmSync } from 'node:fs';
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
  rmSync(join(folder, 'run/b.txt'));
  await expect(checkChecksums(join(folder, 'run'))).rejects.toThrow('b.txt: the file is gone');
  write('run/checksums.sha256', 'nonsense\n');
  await expect(checkChecksums(join(folder, 'run'))).rejects.toThrow(
    'checksums.sha256:1: this line is damaged.',
  );
});
