import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Staging } from './cache.js';

const cache = mkdtempSync(join(tmpdir(), 'hypetune-cache-'));
afterAll(() => {
  rmSync(cache, { recursive: true });
});
/** No process has this number: the kernel gives smaller ones. */
const DEAD = 2 ** 22 + 1;

test('half a download goes at the next fetch, but not one that another process is at', async () => {
  const staging = join(cache, 'staging');
  const half = (name: string): string => {
    mkdirSync(join(staging, name, 'files'), { recursive: true });
    writeFileSync(join(staging, name, 'files/model.safetensors'), 'half');
    return join(staging, name);
  };
  half(`fetch-${DEAD}-aaaaaa`);
  half(`fetch-${process.ppid}-bbbbbb`);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  utimesSync(half(`fetch-${process.ppid}-cccccc`), yesterday, yesterday);
  const fresh = await Staging.create(cache);
  await fresh.remove();
  expect(readdirSync(staging)).toEqual([`fetch-${process.ppid}-bbbbbb`]);
});
