import {
  cpSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { call } from '../../test/call.js';
import { scratch } from '../../test/scratch.js';
import { contents } from '../../test/store-contents.js';
import { sentiment, tinyFlags } from '../../test/tiny-model.js';
import { canonicalJson, sha256 } from './canonical.js';
import { takeLock } from './lock.js';
import { shardOf } from './shard.js';
import { type ComparisonPlan, joinedPlan } from './plan.js';
import { Store } from './store.js';

const home = scratch();
const { write, folder } = home;
const table = write('train.tsv', sentiment(24));
let data: string[] = [];
beforeAll(async () => {
  data = [...(await tinyFlags(home, table)), '--learning-rate', '0.01'];
  data.push('--epochs', '1');
});

const TEACHER = `seeds: 1
recipes:
  - { name: distilled, plugins: [{ name: distillation, options: { teacher: 'hf:nobody/nothing' } }] }
`;

interface Written {
  readonly complete: boolean;
  readonly runs: readonly {
    readonly recipe: string;
    readonly seed: number;
    readonly key: string;
    readonly status: string;
  }[];
}

const json = (text: string): Written => JSON.parse(text) as Written;

test('a comparison is extended by recipes and seeds, and does only what is missing', async () => {
  const store = join(folder, 'extended');
  const flags = ['--store', store, '--json', '-'];
  const first = await call('compare', ...data, ...flags, '--recipes', 'vanilla,hype', '--seeds', '1');
  expect(first.code).toBe(0);
  expect(first.error).toContain(`2 runs, 0 of them are in ${store} already`);
  const before = contents(store);
  const times = Object.fromEntries(
    readdirSync(join(store, 'runs')).map((key) => [key, statSync(join(store, 'runs', key)).mtimeMs]),
  );
  const more = await call('compare', ...data, ...flags, '--recipes', 'vanilla,hype,nodrop', '--seeds', '2');
  expect(more.error).toContain(`6 runs, 2 of them are in ${store} already`);
  expect(json(more.out).runs).toHaveLength(6);
  expect(contents(store)).toMatchObject(before);
  for (const [key, time] of Object.entries(times))
    expect(statSync(join(store, 'runs', key)).mtimeMs).toBe(time);
  const record = JSON.parse(
    readFileSync(join(store, 'runs', json(more.out).runs[0]!.key, 'record.json'), 'utf8'),
  ) as object;
  expect(record).toMatchObject({
    identity: { engine: 'cpu', seed: 1, settings: { learningRate: 0.01, batchSize: 16 } },
    ...{ status: 'finished', steps: 2, validation: { rows: 24 } },
  });
  const curve = readFileSync(join(store, 'runs', json(more.out).runs[0]!.key, 'curve.jsonl'), 'utf8')
    .trim()
    .split('\n');
  expect(JSON.parse(curve[1]!)).toMatchObject({ kind: 'step', step: 2, terms: {}, learningRate: 0.01 });
  expect(curve).toHaveLength(3);
  // Another metric needs no run.
  const again = await call(
    'compare',
    ...data,
    ...flags,
    '--recipes',
    'vanilla',
    '--seeds',
    '2',
    '--metrics',
    'accuracy,matthews',
  );
  expect(again.error).toContain('2 runs, 2 of them');
  expect(JSON.parse(again.out)).toMatchObject({
    runs: [{ metrics: { matthews: expect.any(Number) as number } }, {}],
  });
});

test('a run that fails is a result: counted, shown, not done again unless asked, and no other is lost', async () => {
  const store = join(folder, 'failing');
  const flags = [
    '--store',
    store,
    '--seeds',
    '1',
    '--recipes',
    'vanilla,hype,nodrop',
    '--option',
    'hype.scale=1e38',
  ];
  const { code, out, error } = await call('compare', ...data, ...flags);
  expect(code).toBe(0);
  expect(error).toMatch(/^failed: hype · seed 1: .*(NaN|finite)/m);
  expect(out).toMatch(/^hype +1 +failed/m);
  expect(out).toMatch(/^nodrop +1 +0 +\d\.\d{4}/m);
  expect(out).toMatch(/^failed: hype · train\.tsv · seed 1: /m);
  const again = await call('compare', ...data, ...flags);
  expect(again.error).not.toMatch(/^failed/m);
  expect((await call('compare', ...data, ...flags, '--retry-failed')).error).toMatch(/^failed: hype/m);
});

test('a report sets only runs beside each other that differ in nothing but recipe and seed', async () => {
  const [store, merged] = [join(folder, 'mixed'), join(folder, 'mixed-merged')];
  const compare = async (recipes: string, ...flags: string[]): Promise<void> => {
    await call('compare', ...data, '--store', store, '--seeds', '1', '--recipes', recipes, ...flags);
  };
  await compare('vanilla,hype', '--steps', '1');
  await compare('vanilla,nodrop');
  await compare('mixout');
  for (const place of [store, merged]) {
    const { out, error } = await call('report', place, '--json');
    const { recipes } = JSON.parse(out) as { recipes: readonly { readonly name: string }[] };
    expect(recipes.map(({ name }) => name)).toEqual(['mixout', 'vanilla', 'nodrop']);
    expect(error).toMatch(/^left out: hypetune compare .*--recipes vanilla,hype --steps 1\. Its runs/m);
    if (place === store) await call('merge', store, store, '--out', merged);
  }
});

test('runs of a recipe are no runs of another one of its name, of which none is done yet', async () => {
  const store = await Store.open(join(folder, 'renamed'));
  const flags = ['--recipes', 'vanilla,hype', '--seeds', '2', '--steps', '1'];
  await call('compare', ...data, '--store', store.folder, ...flags);
  const [plan] = await store.plans<ComparisonPlan>();
  const vanilla = plan!.runs.filter(({ recipe }) => recipe === 'vanilla');
  const options = { scale: 0.001, hiddenDropout: 0 };
  const entry = { name: 'hype', plugins: [{ name: 'hype', options }] };
  const recipes = plan!.recipes.map((recipe) => (recipe.name === 'hype' ? { ...recipe, entry } : recipe));
  const task = plan!.tasks[0]!.name;
  // Stopped before a run of it was done: of a seed that the other has, too, and of one that it has not.
  for (const seed of [2, 3]) {
    const runs = [...vanilla, { recipe: 'hype', task, seed, key: `${seed}`.repeat(64) }];
    await store.keepPlan({ ...plan!, recipes, seeds: [1, 2, 3], runs });
    const joined = await joinedPlan(store);
    expect(joined.leftOut).toContainEqual(plan);
    expect(joined.plan.runs).toEqual(runs);
    rmSync(join(store.folder, 'plans', `${keyOfPlan(await store.plans())}.json`));
  }
  expect((await joinedPlan(store)).plan).toEqual(plan);
});

/** The name of the latest plan's file. */
const keyOfPlan = ([latest]: readonly unknown[]): string => sha256(`${canonicalJson(latest, 2)}\n`);

test('a model that cannot be fetched is no result of a run, which is done when it can', async () => {
  const [store, file] = [join(folder, 'offline'), write('teacher.yaml', TEACHER)];
  vi.stubEnv('HYPETUNE_OFFLINE', '1');
  const { code, error } = await call('compare', ...data, '--config', file, '--store', store);
  vi.unstubAllEnvs();
  expect([code, error]).toEqual([
    75,
    expect.stringContaining('not done: distilled · seed 1: hf:nobody/nothing: out of reach'),
  ]);
  expect(readdirSync(join(store, 'runs'))).toEqual([]);
});

test('a label curve is a comparison of tasks that differ in their rows', async () => {
  const config = write(
    'curve.yaml',
    `recipes: [vanilla, hype]
seeds: 1
tasks: [{ name: few, limitPerClass: 4 }, { name: more, limit: 20 }]
`,
  );
  const { out, error } = await call('compare', ...data, '--config', config);
  expect(error).toMatch(/^train\.tsv: 8 rows to learn from/m);
  expect(error).toMatch(/^train\.tsv: 20 rows to learn from/m);
  expect(out).toMatch(/^hype +more +1 +\d\.\d{4} /m);
  expect(out).toMatch(/^over all tasks +average rank/m);
});

test('settings by recipe and grids, the best point chosen by rows that are not reported', async () => {
  const test = write('test.tsv', sentiment(13));
  const config = write(
    'grid.yaml',
    `recipes:
  - vanilla
  - name: fast
    plugins: [hype]
    settings: { steps: 1 }
grid: { learningRate: [0.001, 0.01], hype.scale: [1.0e-5] }
`,
  );
  const flags = ['--config', config, '--seeds', '1', '--test', test];
  const { out, error } = await call('compare', ...data, ...flags);
  expect(error).toMatch(
    /^fast learningRate=0\.001 hype\.scale=0\.00001: hype scale=0\.00001, steps 1, learningRate 0\.001$/m,
  );
  expect(out).toMatch(/^fast learningRate=0\.01 hype\.scale=0\.00001 +1 .* 1 +\d+\.\d +\d+\.\d$/m);
  expect(out).toMatch(
    /^best of each grid: vanilla learningRate=0\.\d+; fast learningRate=0\.\d+ hype\.scale=0\.00001\.$/m,
  );
  const bad = await call('compare', ...data, '--grid', 'r3f.weight=1,2', '--recipes', 'vanilla');
  expect(bad.error).toContain("grid: no recipe of this comparison has the method 'r3f'");
  expect((await call('compare', ...data, '--grid', 'lr=1,2')).error).toContain("grid: 'lr' is neither");
  const twice = ['--grid', 'learningRate=0.1', '--grid', 'learningRate=0.2'];
  expect((await call('compare', ...data, ...twice)).error).toContain(
    "--grid: 'learningRate' stands there twice",
  );
});

test('two comparisons on one store at once do every run once', async () => {
  const store = join(folder, 'shared');
  const flags = ['--store', store, '--seeds', '2', '--recipes', 'vanilla,hype', '--json', '-'];
  const [a, b] = await Promise.all([call('compare', ...data, ...flags), call('compare', ...data, ...flags)]);
  expect([a.code, b.code]).toEqual([0, 0]);
  expect(json(a.out).runs).toEqual(json(b.out).runs);
  expect(json(a.out)).toMatchObject({ complete: true });
  expect(readdirSync(join(store, 'locks'))).toEqual([]);
});

test('parts of a comparison, done apart and merged, are the whole one; what differs is said', async () => {
  const flags = ['--seeds', '2', '--recipes', 'vanilla,hype'];
  const whole = join(folder, 'whole');
  await call('compare', ...data, ...flags, '--store', whole);
  const parts = ['1/2', '2/2'].map((shard) => ({ shard, store: join(folder, `part-${shard[0]!}`) }));
  for (const { shard, store } of parts) {
    const { code, out, error } = await call('compare', ...data, ...flags, '--store', store, '--shard', shard);
    expect([code, error]).toEqual([0, expect.stringContaining('2 runs (of 4 in all), 0 of them')]);
    expect(out).toContain('not done yet: 2 of 4 runs.');
  }
  const out = join(folder, 'joined');
  const merged = await call('merge', ...parts.map(({ store }) => store), '--out', out);
  expect(merged).toEqual({ code: 0, out: `4 runs in ${out}; 0 were in more than one store\n`, error: '' });
  expect(contents(out)).toEqual(contents(whole));
  expect((await call('merge', whole, '--out', out)).out).toContain('4 were in more than one store');

  const other = join(folder, 'other');
  cpSync(whole, other, { recursive: true });
  const [key] = readdirSync(join(other, 'runs'));
  const file = join(other, 'runs', key!, 'predictions.jsonl');
  writeFileSync(file, readFileSync(file, 'utf8').replace('"row":1', '"row":7'));
  const differs = await call('merge', whole, other, '--out', join(folder, 'again'));
  expect(differs.code).toBe(1);
  expect(differs.error).toContain(
    `not the same twice: runs/${key!}/predictions.jsonl, line 2; the first stays`,
  );
  const watched = await call('watch', parts[0]!.store, '--once');
  expect(watched.out).toMatch(/^vanilla +train\.tsv +1 +0 +0 +1 +accuracy 0\.\d{4}$/m);
  expect((await call('watch', whole)).out).toMatch(/^hype +train\.tsv +2 +0 +0 +0 /m);
  const json = async (...argv: string[]): Promise<unknown> => JSON.parse((await call(...argv, '--json')).out);
  expect(await json('watch', whole)).toMatchObject({
    left: 0,
    recipes: [{ recipe: 'vanilla', done: 2 }, {}],
  });
  expect(await json('merge', whole, '--out', out)).toEqual({ runs: 4, twice: 4, disagreements: [] });
  const [here, linked] = [`${relative('.', whole)}/`, join(folder, 'linked')];
  symlinkSync(whole, linked);
  const once = await json('merge', whole, here, linked, '--out', join(folder, 'once'));
  expect(once).toEqual({ runs: 4, twice: 0, disagreements: [] });
  expect((await call('merge', here, linked, '--out', whole)).error).toBe(
    'error: merge: name two stores at least.\n',
  );
  expect(await json('report', whole)).toMatchObject({
    runs: [{}, {}, {}, {}],
    recipes: [{}, { name: 'hype' }],
  });
  expect((await call('merge', folder, '--out', out)).error).toContain('this is no store of runs');
});

test('several processes may make a store at the same moment', async () => {
  const place = join(folder, 'at-once');
  const opened: Promise<Store>[] = [];
  for (let count = 0; count < 40; count += 1) {
    opened.push(Store.open(place));
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  expect((await Promise.all(opened)).map((store) => store.folder)).toEqual(Array(40).fill(place));
});

test('a store is a folder of its own, and a damaged record is an error', async () => {
  expect((await call('compare', ...data, '--store', folder)).error).toContain(
    'is no store of runs but holds something',
  );
  const store = Store.existing(join(folder, 'whole'));
  const [key] = await store.keys();
  const file = join(store.place(key!), 'record.json');
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('"seed": 1', '"seed": 9').replace('"seed": 2', '"seed": 9'),
  );
  await expect(store.read(key!)).rejects.toThrow('it is not the record that was written');
  const other = (await store.keys())[1]!;
  writeFileSync(join(store.place(other), 'cost.json'), '{"seconds": 1');
  rmSync(join(store.place(other), 'predictions.jsonl'));
  const advice = `${store.place(other)}: it is not whole`;
  await expect(store.read(other)).rejects.toThrow(advice);
  await expect(store.predictions(other)).rejects.toThrow('delete this folder to do the run again.');
  rmSync(store.place(key!), { recursive: true });
  expect(await store.has(key!)).toBe(false);
});

test('watch counts a run as running while a process that lives has its lock', async () => {
  const store = await Store.open(join(folder, 'watched'));
  const runs = ['a', 'b'].map((letter, place) => ({
    ...{ recipe: 'vanilla', task: 'rte', seed: place, key: letter.repeat(64) },
  }));
  await store.keepPlan({
    ...{ version: 1, command: [], seeds: [0, 1], runs },
    recipes: [{ name: 'vanilla', family: 'vanilla', description: '' }],
    tasks: [{ name: 'rte', metrics: ['accuracy'] }],
  });
  const lock = await store.lock(runs[0]!.key);
  const { hostname } = await import('node:os');
  write(`watched/locks/${runs[1]!.key}`, `999999999 ${hostname()} 00\n`);
  expect((await call('watch', store.folder, '--once')).out).toMatch(/^vanilla +rte +0 +0 +1 +1 /m);
  await lock!.release();
});

test('a lock belongs to one, and a dead process loses it', async () => {
  const file = join(folder, 'locks', 'one');
  const lock = await takeLock(file);
  expect(await takeLock(file)).toBeUndefined();
  await lock!.release();
  expect(existsSync(file)).toBe(false);
  const { hostname } = await import('node:os');
  writeFileSync(file, `999999999 ${hostname()} 00\n`);
  const taken = await takeLock(file);
  expect(taken).toBeDefined();
  await taken!.release();
  writeFileSync(file, `999999999 another-machine 00\n`);
  expect(await takeLock(file)).toBeUndefined();
});

test('a part is i/n, or what an array job says', () => {
  expect(shardOf('2/8')).toEqual({ index: 1, count: 8 });
  const slurm = {
    SLURM_ARRAY_TASK_ID: '14',
    SLURM_ARRAY_TASK_MIN: '10',
    SLURM_ARRAY_TASK_STEP: '2',
    SLURM_ARRAY_TASK_COUNT: '4',
  };
  expect(shardOf('auto', slurm)).toEqual({ index: 2, count: 4 });
  expect(shardOf('auto', { AWS_BATCH_JOB_ARRAY_INDEX: '0', AWS_BATCH_JOB_ARRAY_SIZE: '5' })).toEqual({
    index: 0,
    count: 5,
  });
  expect(shardOf('auto/3', { JOB_COMPLETION_INDEX: '2' })).toEqual({ index: 2, count: 3 });
  expect(() => shardOf('auto', { JOB_COMPLETION_INDEX: '2' })).toThrow('write auto/n');
  expect(() => shardOf('auto', {})).toThrow('there is no SLURM_ARRAY_TASK_ID');
  expect(() => shardOf('9/8')).toThrow('there is no part 9 of 8');
  expect(() => shardOf('half')).toThrow("must be i/n as 2/8, auto, or auto/n, got 'half'");
});
