import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { call } from '../../packages/cli/test/call.js';
import { noRedis, type Redis, startRedis } from '../../packages/cli/test/redis.js';
import { scratch } from '../../packages/cli/test/scratch.js';
import { tinyModel } from '../../packages/cli/test/tiny-model.js';

// The commands of the page, in their order, with a tiny model, one seed and one step a run.
describe.skipIf(noRedis !== undefined)(`redis-sweep${noRedis === undefined ? '' : `: ${noRedis}`}`, () => {
  const home = scratch();
  let redis: Redis;
  let small: string[] = [];
  beforeAll(async () => {
    redis = await startRedis();
    const model = await tinyModel(home);
    small = ['--model', model, '--engine', 'cpu', '--steps', '1', '--seeds', '1'];
  });
  afterAll(() => redis.stop());

  test('every command of the page runs, and the best point of each grid is named', async () => {
    const page = readFileSync(new URL('README.md', import.meta.url), 'utf8');
    const lines = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, code]) =>
      code!.trim().split('\n'),
    );
    const commands = lines.map((line) =>
      line
        .replace('redis://localhost:6379', redis.url)
        .replace('.hypetune/', `${home.folder}/`)
        .replace('examples/', `${join(import.meta.dirname, '..')}/`)
        .split(' '),
    );
    expect(commands.map(([npx, hypetune, name]) => [npx, hypetune, name].join(' '))).toEqual([
      'npx hypetune worker',
      'npx hypetune compare',
      'npx hypetune watch',
      'npx hypetune report',
    ]);
    const [worker, compare, watch, report] = commands.map(([, , ...words]) => words as [string]);
    const working = call(...worker!);
    const compared = await call(...compare!, ...small);
    expect(compared).toMatchObject({ code: 0 });
    expect(compared.out).toMatch(
      /^best of each grid: vanilla learningRate=0\.\d+; hype learningRate=0\.\d+ hype\.scale=0\.\d+\. /m,
    );
    expect((await call(...watch!)).out).toContain('queue: 0 running, 0 waiting, 9 done, 0 failed');
    expect((await call(...report!)).code).toBe(0);
    process.emit('SIGTERM');
    expect(await working).toMatchObject({ code: 0, out: '9 runs done\n' });
  });
});
