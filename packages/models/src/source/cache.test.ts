import { mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Staging } from './cache.js';

const cache = mkdtempSync(join(tmpdir(), 'hypetune-cache-'));
afterAll(() => {
  rmSync(cache, { recursive: true });
});
/** No process has this number: the kernel gives smaller ones. */
const DEAD = 2 ** 22 + 1;

const HERE = hostname().replace(/[^\w.-]/g, '_');

test('half a download goes at the next fetch, but not one that another process, here or on a machine that shares the cache, is at', async () => {
  const staging = join(cache, 'staging');
  const half = (name: string): string => {
    mkdirSync(join(staging, name, 'files'), { recursive: true });
    writeFileSync(join(staging, name, 'files/model.safetensors'), 'half');
    return join(staging, name);
  };
  half(`fetch-${DEAD}-${HERE}-aaaaaa`);
  half(`fetch-${process.ppid}-${HERE}-bbbbbb`);
  half(`fetch-${DEAD}-another-machine-dddddd`);
  const yesterday = Date.now() / 1000 - 25 * 3600;
  utimesSync(half(`fetch-${process.ppid}-${HERE}-cccccc`), yesterday, yesterday);
  utimesSync(half(`fetch-${DEAD}-another-machine-eeeeee`), yesterday, yesterday);
  const fresh = await Staging.create(cache);
  await fresh.remove();
  expect(readdirSync(staging).sort()).toEqual(
    [`fetch-${process.ppid}-${HERE}-bbbbbb`, `fetch-${DEAD}-another-machine-dddddd`].sort(),
  );
});
