import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../../test/call.js';
import { scratch } from '../../test/scratch.js';
import { contents } from '../../test/store-contents.js';
import { sentiment, tinyFlags } from '../../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;
const program = fileURLToPath(new URL('../../bin/hypetune.js', import.meta.url));
const built = existsSync(fileURLToPath(new URL('../../dist/store/store.js', import.meta.url)));
/** Kills, and seeds of two recipes. */
const [kills, seeds] = process.env.HYPETUNE_DEEP ? [10, 4] : [3, 1];
let flags: string[] = [];

beforeAll(async () => {
  const table = write('train.tsv', sentiment(24));
  flags = ['compare', ...(await tinyFlags(home, table)), '--epochs', '8', '--recipes', 'vanilla,hype'];
  flags.push('--seeds', String(seeds), '--save-every', '1');
  flags.push('--keep-best', 'loss', '--patience', '9', '--evaluate-every', '3');
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly said: () => string;
}

function start(store: string): Started {
  const child = spawn(process.execPath, [program, ...flags, '--store', store], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.on('data', (data: Buffer) => (said += data.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, ended, said: () => said };
}

const list = (place: string): string[] =>
  existsSync(place) ? readdirSync(place).filter((name) => !name.startsWith('.')) : [];

/** Changes whenever a run or a checkpoint is written. */
const state = (store: string): string =>
  [
    ...list(join(store, 'runs')),
    ...list(join(store, 'checkpoints')).map((key) => {
      const file = join(store, 'checkpoints', key);
      return `${key} ${statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0}`;
    }),
  ].join('\n');

const wait = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));

test.skipIf(!built)(
  `stopped by SIGKILL ${kills} times, a store goes on from checkpoints and ends with the bytes of an unbroken one`,
  async () => {
    const [whole, broken] = [join(folder, 'whole'), join(folder, 'broken')];
    const unbroken = call(...(flags as [string]), '--store', whole);
    let said = '';
    for (let killed = 0; killed < kills; killed += 1) {
      const { child, ended, said: heard } = start(broken);
      const before = state(broken);
      // Somewhere in or after the first step that this process does.
      while (state(broken) === before && child.exitCode === null) await wait(5);
      await wait(Math.random() * 50);
      child.kill('SIGKILL');
      expect(await ended).toBe(null);
      said += heard();
    }
    expect(list(join(broken, 'runs')).length).toBeLessThan(2 * seeds);
    const last = start(broken);
    expect(await last.ended).toBe(0);
    expect((await unbroken).code).toBe(0);
    expect(said + last.said()).toMatch(/^(vanilla|hype) · seed \d: goes on after step \d+$/m);
    expect(list(join(whole, 'runs'))).toHaveLength(2 * seeds);
    expect(contents(broken)).toEqual(contents(whole));
  },
  600_000,
);
