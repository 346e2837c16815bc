// `npm run evidence`: every table and picture of docs/evidence.md, docs/leaderboard.md and README.md from the runs in evidence/records; fails
// where one is not current, `--write` writes them. `npm run evidence -- --run --data GLUE [--minutes N] [--seeds N] [NAMES]` does runs that are missing,
// `npm run evidence -- --again 10 --data GLUE [NAMES]` does ten of those that are there once more.
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readConfig } from '../../packages/cli/src/config-file.js';
import { METHODS } from '../../packages/cli/src/methods.js';
import { comparisonPage } from '../../packages/cli/src/report/html/comparison-page.js';
import { cellsOf } from '../../packages/cli/src/store/plan.js';
import type { PredictedLine } from '../../packages/cli/src/store/record.js';
import { Store } from '../../packages/cli/src/store/store.js';
import { fillParts, writeCurrent } from '../generated.js';
import { runAgain } from './again.js';
import { type Experiment, experiments } from './experiments.js';
import * as pages from './pages.js';
import { hasRecords, unpackRecords } from './records.js';
import { runExperiment } from './run.js';

/** Both precisions of the same recipe, paired by seed. */
const PRECISION = ['vanilla', 'hype'].map((recipe) => ({
  what: `${recipe}: bfloat16 against float32`,
  than: `${recipe} precision=float32`,
  better: `${recipe} precision=bfloat16`,
}));
/** What the paper's tables cannot tell apart: the noise and the missing dropout. */
const HYPE = [
  { what: 'no hidden dropout', than: 'vanilla', better: 'nodrop' },
  { what: "HyPe-N's noise", than: 'nodrop', better: 'hype' },
  { what: "HyPe-U's noise", than: 'nodrop', better: 'hype-u' },
];
/** The same, and beside each technique with both alike. */
const CONTRASTS = [
  ...HYPE,
  ...['r-drop', 'r3f', 'child-tuning', 'noisytune'].flatMap((method) => [
    { what: `HyPe beside ${method}, as published`, than: method, better: `hype+${method}` },
    { what: `HyPe's noise beside ${method}`, than: `nodrop+${method}`, better: `hype+${method}` },
  ]),
];

/** In `claims/`: what the paper claims, by the experiment whose runs answer it. */
const CLAIMS = {
  compatibility: ['hype-small', 'hype-noise-small', 'hype-beside-r-drop-small'],
  longer: ['hype-longer', 'hype-noise-longer'],
};

/** Experiments whose tables set means beside each other, not differences of pairs. */
const UNPAIRED = ['noise', 'labels'];
/** Tasks of which pictures are drawn. */
const NOISE = ['sts-b', 'sst-2'];
const LABELS = ['spam', 'sst-2'];
/** Pictures in the page, each named by what it shows. */
const pictures = (files: readonly string[]) => (): string =>
  files.map((file) => `![${file.replace('.svg', '').replace('-', ' on ')}](evidence/${file})`).join('\n\n');

const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    run: { type: 'boolean', default: false },
    again: { type: 'string' },
    write: { type: 'boolean', default: false },
    data: { type: 'string' },
    minutes: { type: 'string', default: '60' },
    seeds: { type: 'string' },
  },
});
const unknown = positionals.find((name) => !experiments.some((experiment) => experiment.name === name));
if (unknown !== undefined)
  throw new Error(
    `there is no experiment '${unknown}'; there are ${experiments.map(({ name }) => name).join(', ')}`,
  );
/** A flag's number, which is more than nothing. */
const numberOf = (flag: 'again' | 'minutes', wanted: string): number => {
  const value = Number(flags[flag]);
  if (!(value > 0)) throw new Error(`--${flag}: '${flags[flag]}' is not ${wanted}.`);
  return value;
};
const asked =
  positionals.length > 0 ? experiments.filter(({ name }) => positionals.includes(name)) : experiments;

if (flags.run || flags.again !== undefined) {
  const { data, seeds } = flags;
  if (data === undefined) throw new Error('--data: give the folder that holds the GLUE tasks.');
  if (flags.again === undefined) {
    const minutes = numberOf('minutes', 'a number of minutes');
    for (const experiment of asked) await runExperiment(experiment, { data, minutes, seeds });
  } else {
    const count = numberOf('again', 'a number of runs');
    for (const experiment of asked.filter(({ records }) => hasRecords(records)))
      await runAgain(experiment, { data, count });
  }
} else await writePages(!flags.write);

async function writePages(check: boolean): Promise<void> {
  const root = new URL('../../', import.meta.url);
  const drawn = new URL('docs/evidence/', root);
  if (!check) await mkdir(drawn, { recursive: true });
  const current = (file: URL, make: (before: string) => string | Promise<string>): Promise<void> =>
    writeCurrent(file, make, check, 'npm run evidence -- --write');
  const temporary = await mkdtemp(join(tmpdir(), 'hypetune-evidence-'));
  try {
    const found = new Map<string, pages.Evidence>();
    const done = new Map<string, string>();
    for (const experiment of experiments.filter(({ records }) => hasRecords(records))) {
      const { name } = experiment;
      const { plan, cells, predictions } = await read(experiment, temporary);
      done.set(name, pages.progress(plan, cells));
      found.set(
        name,
        UNPAIRED.includes(name)
          ? pages.evidenceOf(plan, pages.ofWholeSeeds(plan, cells), new Map())
          : pages.evidenceOf(plan, cells, predictions),
      );
    }
    const part = (name: string, ...tables: readonly ((evidence: pages.Evidence) => string)[]): string => {
      const evidence = found.get(name);
      return evidence
        ? [done.get(name)!, ...tables.map((make) => make(evidence))].join('\n\n')
        : 'Not run yet.';
    };
    const claimsOf = async (experiment: keyof typeof CLAIMS): Promise<string> => {
      const claims = await Promise.all(
        CLAIMS[experiment].map(async (name) => {
          const { claim } = await readConfig(fileURLToPath(new URL(`claims/${name}.yaml`, root)));
          return { name, claim: claim! };
        }),
      );
      return part(experiment, (evidence) => pages.claimTable(evidence, claims));
    };
    await current(new URL('docs/evidence.md', root), async (page) =>
      fillParts(page, {
        'learning-rate': part('learning-rate', pages.meansTable),
        precision: part('precision', (evidence) => pages.contrastTable(evidence, PRECISION)),
        compatibility: part('compatibility', pages.recipeTables),
        across: part('compatibility', pages.acrossTable),
        longer: part('longer', (evidence) => pages.contrastTable(evidence, CONTRASTS), pages.recipeTables),
        claims: await claimsOf('compatibility'),
        'longer-claims': await claimsOf('longer'),
        contrasts: part('compatibility', (evidence) => pages.contrastTable(evidence, CONTRASTS)),
        noise: part(
          'noise',
          pictures(NOISE.flatMap((task) => [`noise-${task}.svg`, `similarity-${task}.svg`])),
          ...[pages.METRIC, pages.LOSS, pages.GAP, pages.LAST_SIMILARITY].map(
            (quantity) =>
              (evidence: pages.Evidence): string =>
                pages.gridTable(evidence, 'hype.scale', quantity),
          ),
        ),
        labels: part('labels', pictures(LABELS.map((task) => `labels-${task}.svg`)), pages.labelTable),
        instability: part('instability', pages.failureTable),
      }),
    );
    await current(new URL('README.md', root), (page) =>
      fillParts(page, { hype: part('longer', (evidence) => pages.contrastTable(evidence, HYPE)) }),
    );
    await current(new URL('docs/leaderboard.md', root), (page) =>
      fillParts(page, { methods: part('methods', pages.acrossTable, pages.recipeTables) }),
    );
    const picture = async (
      name: string,
      file: string,
      make: (evidence: pages.Evidence) => string,
    ): Promise<void> => {
      const evidence = found.get(name);
      if (evidence) await current(new URL(file, drawn), () => make(evidence));
    };
    for (const name of NOISE) {
      const taskOf = ({ plan }: pages.Evidence): pages.Task => plan.tasks.find((task) => task.name === name)!;
      await picture('noise', `noise-${name}.svg`, (evidence) =>
        pages.gridPicture(evidence, 'hype.scale', taskOf(evidence)),
      );
      await picture('noise', `similarity-${name}.svg`, (evidence) =>
        pages.similarityPicture(evidence, 'hype.scale', 'normal', taskOf(evidence)),
      );
    }
    for (const task of LABELS)
      await picture('labels', `labels-${task}.svg`, (evidence) => pages.labelPicture(evidence, task));
    const methods = found.get('methods');
    if (methods) {
      const page = comparisonPage({
        ...{ ...methods, curves: new Map(), title: 'Every method once' },
        costOf: (name) => METHODS.get(name)?.cost ?? '-',
      });
      await current(new URL('leaderboard.html', drawn), () => page);
    }
  } finally {
    await rm(temporary, { recursive: true, force: true });
  }
}

async function read(
  { name, records }: Experiment,
  temporary: string,
): Promise<Pick<pages.Evidence, 'plan' | 'cells' | 'predictions'>> {
  const store = await Store.open(join(temporary, name));
  const plan = await unpackRecords(records, store);
  const cells = await cellsOf(store, plan);
  const predictions = new Map<string, readonly PredictedLine[]>();
  for (const { key, run } of cells) if (run) predictions.set(key, await store.predictions(key));
  return { plan, cells, predictions };
}
