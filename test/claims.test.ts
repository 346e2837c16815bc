import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { call } from '../packages/cli/test/call.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { tinyModel } from '../packages/cli/test/tiny-model.js';
import { readConfig } from '../packages/cli/src/config-file.js';

// Every claim file is one that the command takes, and says what it needs; run here with a tiny model, few rows and a small budget.

const home = new URL('../claims/', import.meta.url).pathname;
const { folder, write } = scratch();
let small: string[] = [];

/** A line of each task's table, by its folder. */
const GLUE = {
  'STS-B': {
    header: 'index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n',
    row: (i: number) => `${i}\tg\tf\ty\t1\tn\tn\tgood day\tbad night\t${(i % 6).toFixed(3)}\n`,
  },
  CoLA: { header: '', row: (i: number) => `x\t${i % 2}\t\t${i % 2 ? 'good' : 'bad'} day\n` },
  MRPC: {
    header: 'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n',
    row: (i: number) => `${i % 2}\t1\t2\tgood day\t${i % 2 ? 'fine' : 'bad'} day\n`,
  },
  'SST-2': { header: 'sentence\tlabel\n', row: (i: number) => `${i % 2 ? 'good' : 'bad'} day\t${i % 2}\n` },
  RTE: {
    header: 'index\tsentence1\tsentence2\tlabel\n',
    row: (i: number) => `${i}\tgood day\tbad night\t${i % 2 ? '' : 'not_'}entailment\n`,
  },
};

beforeAll(async () => {
  for (const [task, { header, row }] of Object.entries(GLUE))
    for (const split of ['train', 'dev'])
      write(`glue/${task}/${split}.tsv`, header + Array.from({ length: 8 }, (_, i) => row(i)).join(''));
  const model = await tinyModel({ folder, write });
  small = ['--data', join(folder, 'glue'), '--model', model, '--engine', 'cpu', '--steps', '1'];
  small.push('--precision', 'float32', '--max-length', '24', '--store', join(folder, 'store'));
});

describe.each(readdirSync(home))('%s', (name) => {
  const file = join(home, name);

  test('says what is claimed, by what rule, and how to run it', async () => {
    const { claim, recipes, tasks } = await readConfig(file);
    const names = recipes!.map((recipe) => (typeof recipe === 'string' ? recipe : recipe.name));
    expect(names).toEqual(expect.arrayContaining([claim!.better, claim!.than]));
    expect(tasks!.length).toBeGreaterThan(0);
    const text = readFileSync(file, 'utf8');
    expect(text).toContain(`hypetune verify claims/${name}`);
    // The numbers of the rule are those of the claim.
    expect(text).toContain(`1/alpha = ${1 / claim!.alpha}`);
    expect(text).toContain(`number of tasks = ${tasks!.length / claim!.alpha}`);
  });

  /** The protocol whose runs answer it, where it names one. */
  const [evidence] = /evidence\/[\w-]+\.yaml/.exec(readFileSync(file, 'utf8')) ?? [];
  test.runIf(evidence)('has the settings of its experiment', async () => {
    const { claim, recipes, ...settings } = await readConfig(file);
    const {
      recipes: all,
      seeds,
      ...protocol
    } = await readConfig(new URL(`../${evidence}`, import.meta.url).pathname);
    expect(settings).toEqual(protocol);
    expect(all).toEqual(expect.arrayContaining([...recipes!]));
    expect(claim!.seeds).toBe(seeds);
  });

  test('is verified and compared at a small size', async () => {
    const text = readFileSync(file, 'utf8');
    const budget = text.replace(/^ {2}seeds: \d+/m, '  seeds: 3').replace(/^seeds: \d+/m, 'seeds: 1');
    const copy = write(basename(name), budget);
    const { tasks, claim, recipes } = await readConfig(file);
    const verified = await call('verify', copy, ...small);
    const [answer] = verified.out.split('\n');
    const { better, than, by } = claim!;
    expect([verified.code, answer]).toEqual([
      2,
      `not yet: ${better} is better than ${than}${by === 0 ? '' : ` by at least ${by}`}`,
    ]);
    expect(verified.out.match(/not yet after 3 pairs; evidence .* of 20 wanted/g)).toHaveLength(
      tasks!.length,
    );
    if (!process.env.HYPETUNE_DEEP) return;
    const compared = await call('compare', '--config', copy, ...small);
    const seeds = /^seeds: /m.test(text) ? 1 : 3;
    const [all, done] = [recipes!.length * tasks!.length * seeds, 2 * tasks!.length * seeds];
    expect(compared.error).toMatch(new RegExp(`^${all} runs, ${done} of them are in `, 'm'));
    expect(compared.out).toMatch(/^over all tasks +average rank/m);
  });
});
