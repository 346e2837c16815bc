import { randomInt } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { canonicalJson } from '../../packages/cli/src/store/canonical.js';
import type { ComparisonPlan } from '../../packages/cli/src/store/plan.js';
import { measuredOf } from '../../packages/cli/src/store/record.js';
import { Store, type WholeRun } from '../../packages/cli/src/store/store.js';
import type { Experiment } from './experiments.js';
import { unpackRecords } from './records.js';
import { compare } from './run.js';

/** Does some kept runs of an experiment once more, drawn by lot from the seeds that are whole, and says how far from the kept ones they end. */
export async function runAgain(
  { name, config, records }: Experiment,
  { data, count }: { readonly data: string; readonly count: number },
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'hypetune-evidence-'));
  try {
    const store = await Store.open(folder);
    const plan = await unpackRecords(records, store);
    const kept = new Set(await store.keys());
    const drawn = drawRuns(plan, kept, count);
    if (drawn.length === 0) {
      console.log(`${name}: no seed has all its runs as yet, so that none is done once more`);
      return;
    }
    const before = new Map<string, WholeRun>();
    for (const { key } of drawn) {
      before.set(key, await store.readWhole(key));
      await rm(store.place(key), { recursive: true });
    }
    const seeds = `${[...new Set(drawn.map(({ seed }) => seed))].join(',')},`;
    const asked = ['--config', config, '--data', data, '--store', folder, '--seeds', seeds];
    // Hardly more than writes down what this version would run.
    await compare([...asked, '--shard', '1/100000']);
    const [{ runs }] = (await store.plans<ComparisonPlan>()) as [ComparisonPlan];
    if (!runs.every(({ key }) => kept.has(key)))
      throw new Error(
        `${name}: its methods or their options have changed since its runs; check out the commit that docs/evidence.md names.`,
      );
    await compare(asked);
    for (const { key, task, recipe, seed } of drawn) {
      const { metrics } = plan.tasks.find((one) => one.name === task)!;
      const apart = distance(before.get(key)!, await store.readWhole(key), metrics[0]!);
      console.log(`${name}: ${task} · ${recipe} · seed ${seed}: ${apart}`);
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

type Run = ComparisonPlan['runs'][number];

/** So many runs of seeds of which every run is kept, each at most once. */
export function drawRuns({ runs, seeds }: ComparisonPlan, kept: ReadonlySet<string>, count: number): Run[] {
  const whole = seeds.filter((seed) => runs.every((run) => run.seed !== seed || kept.has(run.key)));
  const left = runs.filter(({ seed }) => whole.includes(seed));
  return Array.from(
    { length: Math.min(count, left.length) },
    () => left.splice(randomInt(left.length), 1)[0]!,
  );
}

/** How far a run ended from an earlier one, also by a metric. */
export function distance(before: WholeRun, after: WholeRun, metric: string): string {
  const logits = (run: WholeRun): readonly number[] =>
    run.predictions.flatMap((line) => [...line.logits].map(Math.fround));
  const [earlier, later] = [logits(before), logits(after)];
  const furthest = later.reduce((most, value, place) => Math.max(most, Math.abs(value - earlier[place]!)), 0);
  if (furthest === 0 && canonicalJson(before.record) === canonicalJson(after.record)) return 'the same bits';
  const [was, is] = [before, after].map(
    ({ record }) => measuredOf(record)?.metrics[metric]?.toFixed(4) ?? record.status,
  );
  const apart = earlier.length === later.length ? `; logits differ by up to ${furthest.toPrecision(2)}` : '';
  return `${metric} ${is!}, kept ${was!}${apart}`;
}
