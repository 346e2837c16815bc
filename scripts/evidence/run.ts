import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { changedRun, type ComparisonPlan } from '../../packages/cli/src/store/plan.js';
import { Store } from '../../packages/cli/src/store/store.js';
import type { Experiment } from './experiments.js';
import { hasRecords, packRecords, unpackRecords } from './records.js';

const root = fileURLToPath(new URL('../../', import.meta.url));
const command = `${root}packages/cli/src/main.ts`;

/** Does the runs that an experiment lacks, for so many minutes at most, and keeps them. */
export async function runExperiment(
  { name, config, records }: Experiment,
  {
    data,
    minutes,
    seeds,
  }: { readonly data: string; readonly minutes: number; readonly seeds?: string | undefined },
): Promise<void> {
  const folder = `${root}.hypetune/evidence/${name}`;
  const store = await Store.open(folder);
  const kept = hasRecords(records) ? await unpackRecords(records, store) : undefined;
  const asked = ['--config', config, '--data', data, '--store', folder];
  if (seeds !== undefined) asked.push('--seeds', seeds);
  await compare(asked, minutes * 60_000);
  const [latest, ...others] = (await store.plans<ComparisonPlan>()) as [ComparisonPlan, ...ComparisonPlan[]];
  const changed = kept && changedRun(kept, latest);
  if (changed)
    throw new Error(
      `${name}: ${changed.task} · ${changed.recipe} · seed ${changed.seed} is not the run that is kept, as code, rows or weights have changed since; nothing was kept, the new runs are in ${folder}. ` +
        `Check out the commit that docs/evidence.md names, or remove ${records} to begin anew.`,
    );
  const plan = [latest, ...others].reduce((whole, other) =>
    other.runs.length > whole.runs.length ? other : whole,
  );
  const typed = [
    'hypetune',
    'compare',
    '--config',
    `evidence/${name}.yaml`,
    '--data',
    'GLUE',
    '--store',
    'results',
  ];
  const packed = await packRecords(store, { ...plan, command: typed }, records);
  console.log(`${name}: ${packed} of ${plan.runs.length} runs are kept`);
}

/** Runs `hypetune compare`; when the time is up, if there is a limit, it is asked to stop, and keeps what it has. */
export function compare(args: readonly string[], milliseconds?: number): Promise<void> {
  const child = spawn(
    process.execPath,
    ['--conditions=@hypetune/source', '--import', 'tsx', command, 'compare', ...args],
    { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const clock =
    milliseconds === undefined ? undefined : setTimeout(() => child.kill('SIGTERM'), milliseconds);
  // Ctrl-C reaches the child as well, which keeps what it has.
  const wait = (): undefined => undefined;
  process.on('SIGINT', wait);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => {
      clearTimeout(clock);
      process.off('SIGINT', wait);
      if (code === 0 || code === 130) resolve();
      else reject(new Error(`hypetune compare ended with ${code ?? 'a signal'}`));
    });
  });
}
