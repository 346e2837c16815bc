import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { cellsOf, changedRun, type ComparisonPlan } from '../packages/cli/src/store/plan.js';
import type { RunIdentity, StoredRecord } from '../packages/cli/src/store/record.js';
import { keyOf, Store } from '../packages/cli/src/store/store.js';
import { distance, drawRuns } from '../scripts/evidence/again.js';
import {
  contrastTable,
  evidenceOf,
  failureTable,
  GAP,
  gridTable,
  LAST_SIMILARITY,
  ofWholeSeeds,
  progress,
  recipeTables,
  similarityPicture,
} from '../scripts/evidence/pages.js';
import { packRecords, unpackRecords } from '../scripts/evidence/records.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hypetune-test-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const LABELS = [0, 1, 1, 0, 1];

/** A store with four seeds of two recipes, the second right on `gain` more rows of five. */
async function storeOf(gain: number): Promise<{ store: Store; plan: ComparisonPlan }> {
  const store = await Store.open(join(folder, 'store'));
  const runs: ComparisonPlan['runs'][number][] = [];
  for (const seed of [1, 2, 3, 4])
    for (const recipe of ['vanilla', 'hype']) {
      const identity = {
        ...{ version: 1, release: '0', engine: 'native', seed, settings: {}, weights: '' },
        recipe: { dropout: {}, plugins: [{ name: recipe, code: '' }] },
        task: { name: 'mrpc', kind: 'class', labels: ['no', 'yes'] },
        rows: { train: 'a', validation: 'b' },
      } as RunIdentity;
      const right = 2 + (seed % 2) + (recipe === 'hype' ? gain : 0);
      const key = keyOf(identity);
      const record: StoredRecord = {
        ...{ version: 1, key, identity, status: 'finished', steps: 2 },
        validation: { rows: 5, loss: 0.5, metrics: { accuracy: right / 5 } },
      };
      const predictions = LABELS.map((label, row) => {
        const logits = label === (row < right ? 1 : 0) ? [0.25, 0.5] : [0.5, 0.25];
        const loss = Math.log(1 + Math.exp(logits[1 - label]! - logits[label]!));
        return { row, label, loss, logits };
      });
      const curve = [{ kind: 'epoch', step: 2, epoch: 1, loss: 1 / 3 }] as const;
      const cost = {
        ...{ seconds: recipe === 'hype' ? 2 : 1, compileSeconds: 0, measureSeconds: 0, memoryBytes: 1 },
        ...{ finished: '', environment: { processor: 'a processor' } },
      };
      await store.write({ record, cost, curve, predictions });
      runs.push({ recipe, task: 'mrpc', seed, key });
    }
  const plan: ComparisonPlan = {
    ...{ version: 1, command: ['hypetune', 'compare'], seeds: [1, 2, 3, 4], runs },
    recipes: ['vanilla', 'hype'].map((name) => ({ name, family: name, description: name })),
    tasks: [
      { name: 'mrpc', metrics: ['accuracy'], model: 'm', rows: { train: 9, validation: 5 }, measured: 'b' },
    ],
  };
  return { store, plan };
}

test('runs come out of the repository as they went in, but for digits of curves', async () => {
  const { store, plan } = await storeOf(1);
  expect(await packRecords(store, plan, join(folder, 'records'))).toBe(8);
  const again = await Store.open(join(folder, 'again'));
  expect(await unpackRecords(join(folder, 'records'), again)).toEqual(plan);
  for (const { key } of plan.runs) {
    expect(await again.read(key)).toEqual(await store.read(key));
    expect(await again.curve(key)).toEqual([{ kind: 'epoch', step: 2, epoch: 1, loss: 0.333333 }]);
    const [found, packed] = [await again.predictions(key), await store.predictions(key)];
    expect(found.map(({ logits }) => logits)).toEqual(packed.map(({ logits }) => logits));
    for (const [row, { loss }] of found.entries()) expect(loss).toBeCloseTo(packed[row]!.loss, 12);
  }
});

test('a damaged record is not taken for evidence', async () => {
  const { store, plan } = await storeOf(1);
  await packRecords(store, plan, join(folder, 'records'));
  const { gzipSync } = await import('node:zlib');
  const { record, cost } = await store.read(plan.runs[0]!.key);
  const forged = { ...record, identity: { ...record.identity, seed: 99 } };
  const line = JSON.stringify({ record: forged, cost, curve: [], labels: [], logits: '' });
  await writeFile(join(folder, 'records', 'mrpc-vanilla.jsonl.gz'), gzipSync(`${line}\n`));
  const again = await Store.open(join(folder, 'again'));
  const read = unpackRecords(join(folder, 'records'), again);
  await expect(read.then(() => cellsOf(again, plan))).rejects.toThrow(/not the record that was written/);
});

test('runs done once more are of seeds that are whole, and compared to the bit', async () => {
  const { store, plan } = await storeOf(1);
  const keys = plan.runs.map(({ key }) => key);
  expect(drawRuns(plan, new Set(keys), 99).map(({ key }) => key).sort()).toEqual([...keys].sort()); // prettier-ignore
  const [first] = plan.runs;
  const whole = drawRuns(plan, new Set(keys.slice(1)), 99);
  expect([whole.length, whole.some(({ seed }) => seed === first!.seed)]).toEqual([6, false]);
  expect(drawRuns(plan, new Set(keys), 3)).toHaveLength(3);

  const run = await store.readWhole(first!.key);
  expect(distance(run, run, 'accuracy')).toBe('the same bits');
  const [line, ...lines] = run.predictions;
  const moved = [{ ...line!, logits: [line!.logits[0]! - 0.125, line!.logits[1]!] }, ...lines];
  expect(distance(run, { ...run, predictions: moved }, 'accuracy')).toBe(
    'accuracy 0.6000, kept 0.6000; logits differ by up to 0.13',
  );
  const { validation, ...record } = run.record;
  expect(validation).toBeDefined();
  const failed = { ...run, record: { ...record, status: 'failed' as const }, predictions: [] };
  expect(distance(failed, failed, 'accuracy')).toBe('the same bits');
  expect(distance(run, failed, 'accuracy')).toBe('accuracy failed, kept 0.6000');
  expect(distance(failed, run, 'accuracy')).toBe('accuracy 0.6000, kept failed');
});

test('runs of changed code are not kept in the place of others', async () => {
  const { plan } = await storeOf(1);
  const [first, ...runs] = plan.runs as [ComparisonPlan['runs'][number], ...ComparisonPlan['runs']];
  expect(changedRun(plan, plan)).toBeUndefined();
  expect(changedRun({ ...plan, runs }, plan)).toBeUndefined();
  expect(changedRun(plan, { ...plan, runs })).toBeUndefined();
  const other = { ...first, key: 'f'.repeat(64) };
  expect(changedRun(plan, { ...plan, runs: [other] })).toEqual(other);
});

test('tables say what the runs say', async () => {
  const { store, plan } = await storeOf(1);
  const cells = await cellsOf(store, plan);
  const predictions = new Map(
    await Promise.all(cells.map(async ({ key }) => [key, await store.predictions(key)] as const)),
  );
  const evidence = evidenceOf(plan, cells, predictions);
  expect(progress(plan, cells)).toBe('8 of 8 runs are done (a processor).');
  expect(recipeTables(evidence)).toMatch(/\| hype \| 4 \| 0\.7000 \(0\.1155\) \| \+0\.2000 .* 2\.00 \|/);
  const contrast = { what: 'the noise', than: 'vanilla', better: 'hype' };
  expect(contrastTable(evidence, [contrast])).toMatch(/\| the noise \| mrpc \| 4 \| \+0\.2000 \|/);
  // What no run is there of is left out.
  const none = cells.map((cell) =>
    cell.recipe === 'hype' ? { ...cell, run: undefined, metrics: undefined } : cell,
  );
  const half = evidenceOf(plan, none, predictions);
  expect(recipeTables(half)).not.toContain('| hype |');
  expect(contrastTable(half, [contrast])).not.toContain('the noise');
  // The most frequent class has 3 of 5 rows: who names it always is right on 0.6.
  expect(failureTable(evidence)).toMatch(
    /\| vanilla \| 4 \| 4 \| 100 % \| - \|\n\| hype \| 4 \| 2 \| 50 % \| 0\.8000 \|/,
  );
});

test('over a grid: the gap to the rows learned from, and how like each other tokens are', async () => {
  const { store, plan } = await storeOf(1);
  const named = (name: string): string => (name === 'hype' ? 'hype hype.scale=0.1' : name);
  const grid: ComparisonPlan = {
    ...plan,
    recipes: plan.recipes.map(({ name, family }) => ({ name: named(name), family, description: '' })),
    runs: plan.runs.map((run) => ({ ...run, recipe: named(run.recipe) })),
  };
  const cells = await cellsOf(store, grid);
  const measured = cells.map((cell) => {
    const { record } = cell.run!;
    const training = { rows: 9, loss: 0, metrics: { accuracy: 1 } };
    return { ...cell, run: { ...cell.run!, record: { ...record, training, similarity: [0.25, 0.5] } } };
  });
  const evidence = evidenceOf(grid, measured, new Map());
  // Two or three of five rows are right, one more with the noise.
  expect(gridTable(evidence, 'hype.scale', GAP)).toMatch(/vanilla 0\.5000\)[^]*\| hype \| 0\.3000 \|/);
  expect(gridTable(evidence, 'hype.scale', LAST_SIMILARITY)).toContain('| hype | 0.5000 |');
  expect(similarityPicture(evidence, 'hype.scale', 'hype', grid.tasks[0]!)).toContain(
    'token similarity on mrpc by layer, at the end: vanilla 0.5 at 1, 0.1 0.5 at 1',
  );
});

test('means of seeds that some recipe lacks are left out where means stand beside each other', async () => {
  const { store, plan } = await storeOf(1);
  const cells = await cellsOf(store, plan);
  const without = cells.map((cell) =>
    cell.recipe === 'hype' && cell.seed === 4 ? { ...cell, run: undefined, metrics: undefined } : cell,
  );
  const whole = ofWholeSeeds(plan, without);
  expect(whole.map(({ recipe, seed }) => `${recipe} ${seed}`)).toHaveLength(6);
  expect(recipeTables(evidenceOf(plan, whole, new Map()))).toMatch(/\| vanilla \| 3 \|/);
});

test('docs/evidence.md and docs/leaderboard.md are what the runs say (else: npm run evidence -- --write)', () => {
  const script = fileURLToPath(new URL('../scripts/evidence/main.ts', import.meta.url));
  const node = ['--conditions=@hypetune/source', '--import', 'tsx', script];
  const { status, stderr } = spawnSync(process.execPath, node, { encoding: 'utf8' });
  expect([status, stderr]).toEqual([0, '']);
}, 300_000);
