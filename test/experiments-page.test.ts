import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { call } from '../packages/cli/test/call.js';
import { checkGrid, expandGrid } from '../packages/cli/src/grid.js';
import { namedRecipe } from '../packages/cli/src/recipes.js';
import { taskName } from '../packages/cli/src/tasks/named-tasks.js';
import { noRedis, type Redis, startRedis } from '../packages/cli/test/redis.js';
import { sentiment, tinyModel } from '../packages/cli/test/tiny-model.js';

// The tutorial from its first command to its last, in its order, with a tiny model and one step a run. What needs a Redis has one, or is
// left out where there is none.

const page = readFileSync(new URL('../docs/experiments.md', import.meta.url), 'utf8');
const before = process.cwd();
const folder = mkdtempSync(join(tmpdir(), 'hypetune-tutorial-'));
let small: string[] = [];
let redis: Redis | undefined;

beforeAll(async () => {
  const write = (name: string, content: string): string => {
    const place = join(folder, name);
    writeFileSync(place, content);
    return place;
  };
  const { mkdirSync } = await import('node:fs');
  mkdirSync(join(folder, 'tiny'));
  small = ['--model', await tinyModel({ folder, write }), '--engine', 'cpu', '--steps', '1'];
  for (const name of ['train', 'dev', 'test']) write(`${name}.tsv`, sentiment(name === 'train' ? 16 : 12));
  for (const [, code] of page.matchAll(/^```yaml\n([\s\S]*?)^```/gm))
    write(/^# (\S+)/.exec(code!)![1]!, code!);
  process.chdir(folder);
  if (noRedis === undefined) redis = await startRedis();
});
afterAll(async () => {
  await redis?.stop();
  process.chdir(before);
  rmSync(folder, { recursive: true, force: true });
});

/** The words of a command, quotes taken off. */
const words = (line: string): string[] =>
  [...line.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain!);

test('every command of the page runs, in its order', async () => {
  const commands = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].flatMap(([, code]) =>
    code!.trim().split('\n'),
  );
  expect(commands.length).toBeGreaterThan(15);
  let worker: ReturnType<typeof call> | undefined;
  for (const line of commands) {
    if (line.includes('redis://') && !redis) continue;
    const [npx, hypetune, command, ...rest] = words(line.replace('redis://localhost:6379', redis?.url ?? ''));
    expect([npx, hypetune]).toEqual(['npx', 'hypetune']);
    if (command === 'worker') {
      worker = call(command, ...rest);
      continue;
    }
    const runs = ['train', 'compare', 'verify'].includes(command!);
    const { code, out, error } = await call(command!, ...rest, ...(runs ? small : []));
    expect([line, code, code === 2 ? '' : error.match(/^error.*/m)?.[0]]).toEqual([
      line,
      command === 'verify' ? 2 : 0,
      command === 'verify' ? '' : undefined,
    ]);
    if (line.includes('--test')) expect(out).toMatch(/^best of each grid: /m);
    if (line.includes('--seeds 4 --store all'))
      expect(error).toMatch(/^24 runs, 24 of them are in all already$/m);
    if (line.includes('--seeds 5 --store all')) expect(error).toMatch(/^6 of 6 runs are here; /m);
    if (command === 'watch')
      expect(out).toMatch(/^queue: 0 running, 0 waiting, 6 done, 0 failed, 1 worker$/m);
  }
  process.emit('SIGTERM');
  if (worker) expect(await worker).toMatchObject({ code: 0, out: '6 runs done\n' });
  expect(readFileSync('report.html', 'utf8')).toContain('<h1>HyPe on our texts</h1>');
}, 240_000);

test('the calls that make the paper’s tables name tasks, recipes and options that there are', () => {
  const rows = page.slice(page.indexOf("## 8. The paper's tables")).match(/^\| \d.*$/gm)!;
  const calls = rows.flatMap((row) => [...row.matchAll(/`(--task [^`]*)`/g)].map(([, call]) => call!));
  expect([rows.length, calls.length]).toEqual([10, 8]);
  for (const words of calls.map((call) => call.split(' '))) {
    const flag = (name: string): string | undefined => words[words.indexOf(name) + 1];
    for (const task of flag('--task')!.split(',')) expect(taskName(task)).toBe(task);
    const recipes = flag('--recipes')!
      .split(',')
      .map((name) => namedRecipe(name));
    if (!words.includes('--grid')) continue;
    const [axis, values] = flag('--grid')!.split('=') as [string, string];
    const grid = {
      [axis]: values
        .split(',')
        .map((value) => (value === 'input' || value === 'attention' ? value : Number(value))),
    };
    checkGrid(grid, recipes);
    expect(recipes.flatMap((recipe) => expandGrid(recipe, grid))).toHaveLength(1 + grid[axis]!.length);
  }
});
