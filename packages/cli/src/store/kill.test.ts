import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { contents } from '../../test/store-contents.js';
import { sentiment, tinyFlags } from '../../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;
const program = fileURLToPath(new URL('../../bin/hypetune.js', import.meta.url));
const built = existsSync(fileURLToPath(new URL('../../dist/store/store.js', import.meta.url)));
/** Kills, and seeds of four recipes. */
const [kills, seeds] = process.env.HYPETUNE_DEEP ? [10, 8] : [1, 1];
let flags: string[] = [];

beforeAll(async () => {
  const table = write('train.tsv', sentiment(24));
  flags = ['compare', ...(await tinyFlags(home, table)), '--epochs', '2'];
  flags.push('--seeds', String(seeds));
});

function start(store: string): ChildProcess {
  return spawn(process.execPath, [program, ...flags, '--store', store], { stdio: 'ignore' });
}

const end = (child: ChildProcess): Promise<number | null> =>
  new Promise((resolve) => {
    child.on('exit', resolve);
  });

const runs = (store: string): string[] =>
  existsSync(join(store, 'runs'))
    ? readdirSync(join(store, 'runs')).filter((name) => !name.startsWith('.'))
    : [];

test.skipIf(!built)(
  `stopped by SIGKILL ${kills} times, a store ends with the bytes of an unbroken one`,
  async () => {
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
    const unbroken = end(start(whole));
    let killed = 0;
    while (killed < kills) {
      const child = start(broken);
      const ended = end(child);
      const before = runs(broken).length;
      // Somewhere in or after the first run that this process does.
      while (runs(broken).length === before && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 20));
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 150));
      child.kill('SIGKILL');
      if ((await ended) === null) killed += 1;
      else break;
    }
    expect(killed).toBe(kills);
    expect(runs(broken).length).toBeLessThan(4 * seeds);
    expect(await end(start(broken))).toBe(0);
    expect(await unbroken).toBe(0);
    expect(runs(whole)).toHaveLength(4 * seeds);
    expect(contents(broken)).toEqual(contents(whole));
  },
  600_000,
);
