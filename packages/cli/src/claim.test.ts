import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyFlags } from '../test/tiny-model.js';
import { answerClaim } from './claim.js';
import { answerText } from './commands/verify.js';
import type { Claim } from './config-file.js';
import type { Cell } from './store/plan.js';

const claim: Claim = { better: 'hype', than: 'vanilla', by: 0.01, seeds: 20, alpha: 0.05 };
const tasks = [
  { name: 'rte', metric: 'accuracy' },
  { name: 'cola', metric: 'accuracy' },
];

const plan = { tasks: [] };

const cell = (recipe: string, task: string, seed: number, accuracy?: number): Cell => ({
  ...{ recipe, task, seed, key: '', run: {} as never },
  ...(accuracy !== undefined && { metrics: { accuracy } }),
});

/** Runs of both recipes on a task, `gain` apart but for a little. */
const runs = (task: string, gain: number, seeds = 8): Cell[] =>
  Array.from({ length: seeds }, (_, seed) => [
    cell('vanilla', task, seed, 0.7 + 0.01 * (seed % 3)),
    cell('hype', task, seed, 0.7 + 0.01 * (seed % 3) + gain + 0.002 * ((seed % 4) - 1.5)),
  ]).flat();

test('yes needs every task, no needs one, and neither comes of two seeds', () => {
  const answer = (...cells: Cell[][]): string => answerClaim(claim, tasks, plan, cells.flat()).answer;
  expect(answer(runs('rte', 0.05), runs('cola', 0.03))).toBe('yes');
  expect(answer(runs('rte', 0.05), runs('cola', -0.02))).toBe('no');
  expect(answer(runs('rte', 0.05), runs('cola', 0.01))).toBe('not yet');
  expect(answer(runs('rte', 0.05, 2), runs('cola', 0.03, 2))).toBe('not yet');
  expect(answer(runs('rte', 0.05), [])).toBe('not yet');
});

test('with a run that failed there is no yes', () => {
  const failed = [cell('vanilla', 'cola', 9, 0.7), cell('hype', 'cola', 9)];
  const found = answerClaim(claim, tasks, plan, [...runs('rte', 0.05), ...runs('cola', 0.03), ...failed]);
  expect(found.answer).toBe('not yet');
  expect(found.tasks[1]).toMatchObject({ answer: 'yes', failed: [9] });
  const undefinedMetric = { ...cell('hype', 'cola', 9), metrics: { loss: 1 } };
  const other = [failed[0]!, undefinedMetric];
  expect(answerClaim(claim, tasks, plan, [...runs('rte', 0.05), ...runs('cola', 0.03), ...other])).toEqual(
    found,
  );
});

test('many pairs that are exactly equal are said', () => {
  const equal = Array.from({ length: 8 }, (_, seed) => [
    cell('vanilla', 'rte', seed, 0.7),
    cell('hype', 'rte', seed, seed < 4 ? 0.7 : 0.71),
  ]).flat();
  const found = answerClaim({ ...claim, by: 0 }, [tasks[0]!], plan, equal);
  expect(found.tasks[0]).toMatchObject({ pairs: 8, equal: 4 });
  expect(answerText(claim, found)).toContain(
    '; 4 of the pairs are exactly equal: differences are far from normal',
  );
  const none = answerClaim(claim, tasks, plan, [...runs('rte', 0.05), ...runs('cola', 0.03)]);
  expect(answerText(claim, none)).not.toContain('equal');
});

const home = scratch();
const { write, folder } = home;
let data: string[] = [];
beforeAll(async () => {
  const table = write('train.tsv', sentiment(16));
  data = [...(await tinyFlags(home, table)), '--learning-rate', '0.03'];
  data.push('--store', `${folder}/store`);
});

test('verify does runs until the answer is certain, exits by it, and again does nothing', async () => {
  // A recipe that never learns has a higher loss than one that does.
  const file = write(
    'claim.yaml',
    `recipes:
  - name: learns
    settings: { epochs: 3 }
  - name: does not
    settings: { epochs: 1, learningRate: 0 }
claim: { better: learns, than: does not, metric: loss, seeds: 12 }
`,
  );
  const { code, out } = await call('verify', file, ...data);
  expect(out).toMatch(
    /^yes: learns is better than does not\ntrain\.tsv, loss: yes after \d pairs; evidence \d/,
  );
  expect(code).toBe(0);
  // Each is kept before its runs, so that nothing is lost of a process that is killed.
  const pairs = Number(/yes after (\d)/.exec(out)![1]);
  expect(readdirSync(join(folder, 'store', 'plans'))).toHaveLength(pairs);
  const again = await call('verify', file, ...data);
  expect(again.out).toBe(out);
  const json = await call('verify', file, ...data, '--json');
  expect(JSON.parse(json.out)).toMatchObject({ claim: { better: 'learns' }, answer: 'yes' });
  expect(again.error).not.toContain('step');
  const no = write('no.yaml', readFileSync(file, 'utf8').replace('seeds: 12', 'seeds: 12, by: 5'));
  expect((await call('verify', no, ...data)).code).toBe(1);
  const open = write('open.yaml', 'claim: { better: nodrop, than: vanilla, seeds: 3 }\nsteps: 1\n');
  expect((await call('verify', open, ...data)).code).toBe(2);
  const named = write('named.yaml', `seeds: [5, 3, 3, 9, 7]\n${readFileSync(open, 'utf8')}`);
  const seeds = JSON.parse((await call('verify', named, ...data, '--json')).out) as object;
  expect(seeds).toMatchObject({ tasks: [{ pairs: 3 }] });
  const ran = readdirSync(join(folder, 'store', 'plans')).map(
    (name) => JSON.parse(readFileSync(join(folder, 'store', 'plans', name), 'utf8')) as { seeds: number[] },
  );
  expect(ran.map((plan) => plan.seeds)).toContainEqual([3, 5, 7]);
  const wrong = await call('verify', write('none.yaml', 'steps: 1\n'), ...data);
  expect([wrong.code, wrong.error]).toEqual([3, expect.stringContaining('it claims nothing')]);
});

test('a claim is of two recipes: what makes more of them is refused', async () => {
  const claim = 'claim: { better: a, than: vanilla, seeds: 3 }\n';
  for (const [name, more, why] of [
    ['grid', 'grid: { learningRate: [0.1, 0.2] }\n', "grid: 'learningRate' makes several recipes of one"],
    [
      'own',
      'recipes: [{ name: a, grid: { epochs: [1, 2] } }]\n',
      "recipe 'a': 'grid' is for hypetune compare",
    ],
    ['seed', 'seed: 4\n', "'recipe' and 'seed' are for hypetune train"],
  ] as const) {
    const { code, error } = await call('verify', write(`${name}.yaml`, `${more}${claim}`), ...data);
    expect([code, error]).toEqual([3, expect.stringContaining(why)]);
  }
});
