import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../../test/call.js';
import { noRedis, type Redis, startRedis } from '../../test/redis.js';
import { scratch } from '../../test/scratch.js';
import { contents } from '../../test/store-contents.js';
import { sentiment, tinyFlags } from '../../test/tiny-model.js';
import { differences, placeOf, withPlaces } from './queued-run.js';

const home = scratch();
const { write, folder } = home;
const program = fileURLToPath(new URL('../../bin/hypetune.js', import.meta.url));
const built = existsSync(fileURLToPath(new URL('../../dist/queue/work.js', import.meta.url)));
const deep = Boolean(process.env.HYPETUNE_DEEP);
/** Workers that are killed while they run something, and seeds of two recipes. */
const [kills, seeds] = deep ? [8, 6] : [1, 2];

interface Worker {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly said: () => string;
}

/** Every worker of these tests: none outlives them. */
const started: ChildProcess[] = [];
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
});

function startWorker(url: string, store: string, ...flags: string[]): Worker {
  const words = [program, 'worker', url, '--store', store, '--stalled-after', '4', ...flags];
  const child = spawn(process.execPath, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  started.push(child);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += data.toString()));
  const ended = new Promise<number | null>((resolve) => {
    child.on('close', resolve);
  });
  return { child, ended, said: () => said };
}

const list = (place: string): string[] =>
  existsSync(place) ? readdirSync(place).filter((name) => !name.startsWith('.')) : [];

/** The process that holds a lock. */
function ownerOf(lock: string): number | undefined {
  return existsSync(lock) ? Number(readFileSync(lock, 'utf8').split(' ')[0]) : undefined;
}

/** Waits until something is so; throws with what workers said where it does not come. */
async function until(is: () => boolean, workers: readonly Worker[]): Promise<void> {
  for (const began = Date.now(); !is(); await new Promise((resolve) => setTimeout(resolve, 10)))
    if (Date.now() - began > 90_000)
      throw new Error(`nothing came of it: ${workers.map(({ said }) => said()).join('\n')}`);
}

/** Waits until a run is on a queue. */
async function isAskedFor(url: string, name: string): Promise<void> {
  const look = async (): Promise<string> =>
    (await call('watch', '--queue', url, '--queue-name', name, '--once')).out;
  while (!(await look()).includes(' 1 waiting')) await new Promise((resolve) => setTimeout(resolve, 20));
}

test('what differs between two runs is named', () => {
  expect(differences({ a: 1, b: { c: [1, 2], d: 3 } }, { a: 1, b: { c: [1, 4], d: 3 }, e: 5 })).toEqual([
    'b.c.1',
    'e',
  ]);
});

test('a worker may have folders elsewhere', () => {
  const places = [placeOf('/home/ada/=/mnt/a'), placeOf('/data=/mnt/data/')];
  const asked = {
    train: '/home/ada/t.tsv',
    model: '/data',
    text: '/database',
    list: ['/data/x', 3],
    none: null,
  };
  expect(withPlaces(asked, places)).toEqual({
    ...{ train: '/mnt/a/t.tsv', model: '/mnt/data', text: '/database', list: ['/mnt/data/x', 3], none: null },
  });
  expect(() => placeOf('data=/mnt')).toThrow("--place: must be /their/folder=/our/folder, got 'data=/mnt'.");
});

test('a queue that is none, or that nobody answers at, is said', async () => {
  const store = join(folder, 'none');
  const worker = (url: string): ReturnType<typeof call> => call('worker', url, '--store', store);
  expect((await worker('localhost:6379')).error).toContain(
    'a queue is a Redis as redis://localhost:6379, got',
  );
  const { code, error } = await worker('redis://me:secret@127.0.0.1:1');
  expect([code, error]).toEqual([
    1,
    expect.stringMatching(/redis:\/\/me:\*\*\*@127\.0\.0\.1:1: no Redis answers there \(.*ECONNREFUSED/),
  ]);
  expect((await call('watch')).error).toContain('name a store of runs, a --queue, or both');
});

describe.skipIf(noRedis !== undefined || !built)(
  `runs on a Redis${noRedis === undefined ? '' : `: ${noRedis}`}`,
  () => {
    let redis: Redis;
    let flags: string[] = [];
    beforeAll(async () => {
      redis = await startRedis();
      const table = write('train.tsv', sentiment(24));
      flags = ['compare', ...(await tinyFlags(home, table)), '--epochs', '8'];
      flags.push('--recipes', 'vanilla,hype', '--seeds', String(seeds), '--save-every', '2');
    });
    afterAll(() => redis.stop());

    test('three workers, killed and stopped in the middle, give the bytes of one process', async () => {
      const [whole, shared, results] = ['whole', 'shared', 'results'].map((name) => join(folder, name));
      expect((await call(...(flags as [string]), '--store', whole!)).code).toBe(0);
      const comparing = call(...(flags as [string]), '--store', results!, '--queue', redis.url);
      const workers = Array.from({ length: 3 }, () => startWorker(redis.url, shared!));
      const gone: Worker[] = [];
      // A worker that is in the middle of a run: it holds the lock of one that has a checkpoint.
      const busy = (): Worker | undefined => {
        const owners = list(join(shared!, 'checkpoints')).map((key) => ownerOf(join(shared!, 'locks', key)));
        return workers.find(({ child }) => child.exitCode === null && owners.includes(child.pid));
      };
      for (let killed = 0; killed < kills; killed += 1) {
        await until(() => busy() !== undefined, workers);
        const worker = busy()!;
        worker.child.kill('SIGKILL');
        expect(await worker.ended).toBe(null);
        workers.splice(workers.indexOf(worker), 1);
        gone.push(worker);
        if (killed < kills - 1) workers.push(startWorker(redis.url, shared!));
      }
      await until(() => busy() !== undefined, workers);
      const stopped = busy()!;
      stopped.child.kill('SIGTERM');
      expect(await stopped.ended).toBe(0);
      expect(stopped.said()).toMatch(/\d+ runs done\n$/);
      const { code, error, out } = await comparing;
      expect([code, error]).toEqual([
        0,
        expect.stringMatching(new RegExp(`^${2 * seeds} of ${2 * seeds} runs are here`, 'm')),
      ]);
      expect(out).toMatch(/^hype +1 +\d\.\d{4}/m);
      expect(contents(results!)).toEqual(contents(whole!));
      const watched = await call('watch', results!, '--queue', redis.url, '--once');
      expect(watched.out).toMatch(new RegExp(`^vanilla +train\\.tsv +${seeds} +0 +0 +0 `, 'm'));
      expect(watched.out).toMatch(
        new RegExp(`^queue: 0 running, 0 waiting, ${2 * seeds} done, 0 failed, [12] workers?$`, 'm'),
      );
      for (const { child, ended } of workers) {
        child.kill('SIGTERM');
        await ended;
      }
      const said = [...workers, ...gone].map((worker) => worker.said()).join('');
      expect(said).toMatch(/ · seed \d: goes on after step \d+$/m);
      // What a queue holds already is neither asked for nor done again; nor is what a worker's store has.
      const again = await call(
        ...(flags as [string]),
        '--store',
        join(folder, 'again'),
        '--queue',
        redis.url,
      );
      expect(again.code).toBe(0);
      expect(contents(join(folder, 'again'))).toEqual(contents(whole!));
    }, 300_000);

    test('a comparison that is stopped leaves its runs on the queue', async () => {
      const store = join(folder, 'stopped');
      const [there, here] = [join(folder, 'there'), join(folder, 'here')];
      const data = await tinyFlags(home, write('there/train.tsv', sentiment(24)));
      const own = ['compare', ...data, '--epochs', '1', '--recipes', 'nodrop', '--seeds', '1'];
      const first = call(
        ...(own as [string]),
        '--store',
        store,
        '--queue',
        redis.url,
        '--queue-name',
        'other',
      );
      await isAskedFor(redis.url, 'other');
      process.emit('SIGTERM');
      expect(await first).toMatchObject({
        code: 130,
        error: expect.stringContaining('1 runs stay on the queue; the same command collects them') as string,
      });
      const name = ['--queue-name', 'other'];
      const state = await call('watch', '--queue', redis.url, ...name, '--once');
      expect(state.out).toContain('queue: 0 running, 1 waiting, 0 done, 0 failed, 0 workers');
      // The worker has the table elsewhere.
      renameSync(there, here);
      const place = ['--place', `${there}=${here}`];
      const w = join(folder, 'w');
      const worker = await call('worker', redis.url, ...name, '--store', w, '--burst', ...place);
      renameSync(here, there);
      expect(worker).toMatchObject({ code: 0, out: '1 runs done\n' });
      const second = await call(...(own as [string]), '--store', store, '--queue', redis.url, ...name);
      expect(second.code).toBe(0);
      expect(JSON.stringify(readdirSync(join(store, 'plans')).length)).toBe('1');
    });

    test('a run that fails is a result here too, and done again when that is asked for', async () => {
      const address = ['--queue', redis.url, '--queue-name', 'failing'];
      const store = join(folder, 'failing');
      const own = [...flags.slice(0, -6), '--epochs', '1', '--recipes', 'hype', '--seeds', '1'];
      own.push('--option', 'hype.scale=1e38', '--store', store, ...address);
      const working = call(
        'worker',
        redis.url,
        ...address.slice(2),
        '--store',
        join(folder, 'failing-worker'),
      );
      const first = await call(...(own as [string]));
      expect([first.code, first.out]).toEqual([
        0,
        expect.stringMatching(/^failed: hype · train\.tsv · seed 1: /m),
      ]);
      expect((await call(...(own as [string]))).error).toContain('1 runs, 1 of them are in');
      const retried = await call(...(own as [string]), '--retry-failed');
      expect(retried.error).toMatch(/^1 of 1 runs are here/m);
      process.emit('SIGTERM');
      const { out, error } = await working;
      expect([out, error.match(/^failed: hype · seed 1: /gm)]).toEqual([
        '2 runs done\n',
        expect.objectContaining({ length: 2 }),
      ]);
    });

    test.runIf(deep)('a worker whose Redis is gone ends by a signal all the same', async () => {
      const gone = await startRedis();
      const worker = startWorker(gone.url, join(folder, 'gone'));
      await until(() => worker.said().includes('waiting for runs'), [worker]);
      await gone.stop();
      await until(() => worker.said().includes('trying on'), [worker]);
      worker.child.kill('SIGTERM');
      expect(await worker.ended).toBe(0);
      expect(worker.said()).toContain('does not answer');
    });

    test.runIf(deep)('a worker refuses a run that would not be the one asked for', async () => {
      const table = write('changed.tsv', sentiment(24));
      const own = ['compare', ...(await tinyFlags(home, table)), '--recipes', 'vanilla', '--seeds', '1'];
      const address = ['--queue', redis.url, '--queue-name', 'changed'];
      const comparing = call(...(own as [string]), '--store', join(folder, 'changed'), ...address);
      await isAskedFor(redis.url, 'changed');
      write('changed.tsv', sentiment(25));
      const place = join(folder, 'changed-worker');
      await call('worker', redis.url, '--queue-name', 'changed', '--store', place, '--burst');
      expect(await comparing).toMatchObject({
        code: 75,
        error: expect.stringMatching(
          /^not done: vanilla .* another run than the one asked for: rows\.train, rows\.validation differ/m,
        ) as string,
      });
      rmSync(place, { recursive: true });
    });
  },
);
