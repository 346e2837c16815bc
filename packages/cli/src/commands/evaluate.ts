import {
  type ClassReport,
  type Evaluation,
  HypetuneError,
  type Metric,
  type PrecisionOption,
} from '@hypetune/core';
import type { EngineName } from '@hypetune/engine';
import { type Command, Option } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { openModules, withMetrics } from '../methods.js';
import { classTable, metricsLine } from '../report/figures.js';
import { type Measured, transferPage } from '../report/html/transfer-page.js';
import { table } from '../report/table.js';
import { noteUnfinished, openSaved, savedTask, type SavedTask, type TrainedModel } from '../saved-model.js';
import { counted } from '../progress.js';
import { noteData } from '../setup.js';
import { type Settings, settingsWith } from '../settings.js';
import {
  inferenceMap,
  labelMapOf,
  type LabelMap,
  mappedLabels,
  measureMerged,
  mergedNames,
  relabelled,
} from '../tasks/label-map.js';
import { layoutOf } from '../tasks/layout.js';
import { classNames, splitRows, taskOf } from '../tasks/named-task.js';
import { checkNamed, checkThere, dataFolder, namedName, openTask } from '../tasks/open-task.js';
import { SPLITS, type Split } from '../tasks/split-files.js';
import { firstRows } from '../tasks/fixed-order.js';
import type { Row } from '../tasks/task.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { jsonFlag, listFlag, repeatedFlag, settingFlag, settingsOf } from './flags.js';

interface EvaluateFlags {
  readonly table: readonly string[];
  readonly task?: readonly string[];
  readonly split?: Split;
  readonly labelMap?: readonly string[];
  readonly json?: true;
  readonly out?: string;
  readonly engine?: EngineName;
  readonly precision?: PrecisionOption;
}

/** How a table is read where it is not as the run's own. */
const READING = [
  ...['textColumn', 'pairColumn', 'labelColumn', 'labelColumns', 'labelSeparator'],
  ...['delimiter', 'encoding'],
] as const satisfies readonly (keyof Settings)[];

const OWN = ['table', 'task', 'split', 'labelMap', 'json', 'out'];

export function addEvaluate(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('evaluate')
    .description(
      'measure a saved run or a classifier that transformers saved, on its own rows, on tables or on other tasks',
    )
    .argument('<run>', 'folder of the run or model')
    .option(
      '--table <file>',
      "rows to measure on, in the run's own columns or those named here; may be given several times",
      repeatedFlag,
      [],
    )
    .option(
      '--task <names>',
      'tasks to measure on, as snli,hans,adv-mnli; --data holds them (default: the folder of the run)',
      listFlag,
    )
    .addOption(new Option('--split <name>', 'which rows of --task (default: dev)').choices([...SPLITS]))
    .option(
      '--label-map <names>',
      'classes of the run or the table that count as others, as neutral=not_entailment,contradiction=not_entailment',
      listFlag,
    )
    .option('--out <file>', 'write what was measured as an HTML page too')
    .addOption(jsonFlag());
  for (const name of ['data', 'evaluationLimit', ...READING, 'metrics', 'precision', 'engine'] as const)
    command.addOption(settingFlag(name));
  command.action(async (folder: string, flags: EvaluateFlags) => {
    done(await evaluate(folder, flags, settingsOf(command, OWN), terminal));
  });
}

/** Rows to measure on, their labels those of the run after the map. */
interface Measuring {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly map: LabelMap | undefined;
}

async function evaluate(
  folder: string,
  flags: EvaluateFlags,
  settings: Settings,
  terminal: Terminal,
): Promise<number> {
  const { json, engine, precision } = flags;
  if (flags.out !== undefined) await checkOutputFile(flags.out);
  const saved = await savedTask(folder);
  const modules = await openModules(saved.config.methods);
  const { metrics } = withMetrics({ metrics: settings.metrics ?? saved.metrics?.slice() }, modules);
  noteUnfinished(terminal, folder, saved);
  if (flags.split !== undefined && flags.task === undefined)
    throw new HypetuneError('--split: says which rows of --task are measured; name the task.');
  checkThere(flags.table);
  for (const word of flags.task ?? []) checkNamed(word, settings.data ?? saved.config.data);
  await startEngine(terminal, engine);
  const wanted = await rowsToMeasure(folder, flags, saved, settings, terminal);
  const model = await openSaved(folder, saved, { metrics, precision, onWarning: warnOnce(terminal) });
  const found: Measured[] = [];
  try {
    for (const { name, rows, map } of wanted) {
      const data = await model.data(rows, terminal);
      noteData(terminal, rows, data.cut, saved.maxLength);
      const given = [...(map ?? [])].map(([from, to]) => `${from}=${to}`).join(',');
      if (given !== '') note(terminal, `${name}: ${given}`);
      const evaluation = await measured(model, { data, rows, map, metrics }, saved, terminal);
      found.push({ name, rows: rows.length, labelMap: given, ...evaluation });
    }
  } finally {
    model.dispose();
  }
  if (flags.out !== undefined) await writeWhole(flags.out, transferPage(folder, found));
  if (json) print(terminal, JSON.stringify(jsonOf(found), null, 2));
  else printed(terminal, found);
  return 0;
}

/** What was measured on one table alone, or of each by its name. */
function jsonOf(found: readonly Measured[]): unknown {
  const one = ({ rows, loss, metrics, report }: Measured): object => ({ rows, loss, metrics, report });
  return found.length === 1
    ? one(found[0]!)
    : Object.fromEntries(found.map((each) => [each.name, { ...one(each), labelMap: each.labelMap }]));
}

function printed(terminal: Terminal, found: readonly Measured[]): void {
  const [first, ...others] = found;
  if (others.length === 0) {
    print(terminal, `${metricsLine(first!)} on ${first!.rows} rows`);
    if (first!.report) print(terminal, classTable(first!.report));
    return;
  }
  const metrics = [...new Set(found.flatMap((each) => Object.keys(each.metrics)))];
  const rows = found.map((each) => [
    ...[each.name, String(each.rows), each.loss.toFixed(4)],
    ...metrics.map((metric) => each.metrics[metric]?.toFixed(4) ?? '-'),
    each.labelMap,
  ]);
  print(terminal, table(['measured on', 'rows', 'loss', ...metrics, 'counted as'], rows));
}

interface Measurement {
  readonly data: Awaited<ReturnType<TrainedModel['data']>>;
  readonly rows: readonly Row[];
  readonly map: LabelMap | undefined;
  readonly metrics: readonly (string | Metric)[] | undefined;
}

async function measured(
  { trainer }: TrainedModel,
  { data, rows, map, metrics = ['accuracy'] }: Measurement,
  { labels }: SavedTask,
  terminal: Terminal,
): Promise<Pick<Evaluation, 'loss' | 'metrics'> & { report?: ClassReport | undefined }> {
  const told = counted(data, terminal, 'measured');
  if (map && mergedNames(labels, map).length < labels.length)
    return measureMerged(labels, map, await trainer.predictions(told), rows, metrics);
  const { loss, metrics: figures, report } = await trainer.evaluate(told);
  return { loss, metrics: figures, report };
}

async function rowsToMeasure(
  folder: string,
  { table: tables, task, split, labelMap }: EvaluateFlags,
  saved: SavedTask,
  settings: Settings,
  terminal: Terminal,
): Promise<Measuring[]> {
  const { config, kind, labels, pair } = saved;
  const map = labelMap && labelMapOf(labelMap);
  if (map && ((tables.length === 0 && task === undefined) || kind !== 'classification'))
    throw new HypetuneError('--label-map: is for --table or --task and a run of one class a row.');
  const cut = (rows: readonly Row[]): readonly Row[] =>
    settings.evaluationLimit === undefined ? rows : firstRows(rows, settings.evaluationLimit);
  const found: Measuring[] = [];
  for (const file of tables) {
    const layout = layoutOf(settingsWith(config, settings), kind, labels);
    const read = await layout.read(file);
    const hasPair = layout.columns(read).pair !== undefined;
    if (pair && !hasPair)
      throw new HypetuneError('--pair-column: the run takes pairs of texts; name the column of the second.');
    if (pair === false && hasPair)
      throw new HypetuneError('--pair-column: the run takes single texts; leave it out.');
    const rows = layout.rows(read, map ? mappedLabels(labels, map) : undefined);
    found.push({ name: file, rows: cut(rows), map });
  }
  for (const word of task ?? [])
    found.push(
      await taskRows(word, {
        saved,
        split: split ?? 'dev',
        data: settings.data ?? config.data,
        settings,
        map,
        cut,
        terminal,
      }),
    );
  if (found.length > 0) return found;
  if (config.task === undefined && config.train === undefined)
    throw new HypetuneError(`--table: ${folder} has no rows of its own; name a table to measure on.`);
  const own = await openTask(
    { ...settingsWith(config, settings), metrics: undefined, keepBest: undefined },
    showDownloads(terminal),
  );
  return [{ name: own.name, rows: own.evaluation, map }];
}

async function taskRows(
  word: string,
  {
    saved: { kind, labels, pair },
    ...given
  }: {
    readonly saved: SavedTask;
    readonly split: Split;
    readonly data: string | undefined;
    readonly settings: Settings;
    readonly map: LabelMap | undefined;
    readonly cut: (rows: readonly Row[]) => readonly Row[];
    readonly terminal: Terminal;
  },
): Promise<Measuring> {
  const name = namedName(word);
  if (taskOf(name).name !== kind)
    throw new HypetuneError(`--task: '${name}' is a ${taskOf(name).name}, the run a ${kind}.`);
  const home = await dataFolder(name, given.data, showDownloads(given.terminal));
  const rows = given.cut(await splitRows(name, home, given.split, given.settings));
  if (pair !== undefined && pair !== (rows[0]!.pair !== undefined))
    throw new HypetuneError(
      `--task: the run takes ${pair ? 'pairs of texts' : 'single texts'}, '${name}' not.`,
    );
  if (kind !== 'classification') return { name, rows, map: undefined };
  const own = classNames(name);
  const map = given.map ?? inferenceMap(labels, own);
  return { name, rows: relabelled(rows, { name, labels: own }, labels, map), map };
}
