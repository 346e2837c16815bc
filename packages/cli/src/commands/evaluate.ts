import { type Evaluation, HypetuneError, type Metric, type PrecisionOption } from '@hypetune/core';
import type { Command } from 'commander';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { openModules, withMetrics } from '../methods.js';
import { classTable, metricsLine } from '../report/figures.js';
import { openSaved, savedTask, type SavedTask, type TrainedModel } from '../saved-model.js';
import { counted } from '../progress.js';
import { noteData } from '../setup.js';
import type { Settings } from '../settings.js';
import { labelMapOf, type LabelMap, mappedLabels, measureMerged, mergedNames } from '../tasks/label-map.js';
import { layoutOf } from '../tasks/layout.js';
import { openTask } from '../tasks/open-task.js';
import { rowsOf } from '../tasks/rows.js';
import { readTable } from '../tasks/table.js';
import type { Row } from '../tasks/task.js';
import type { TextData } from '../tasks/text-data.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { jsonFlag, listFlag, settingFlag, settingsOf } from './flags.js';

interface EvaluateFlags {
  readonly table?: string;
  readonly labelMap?: readonly string[];
  readonly json?: true;
  readonly engine?: string;
  readonly precision?: PrecisionOption;
}

/** How a table is read where it is not as the run's own. */
const READING = [
  ...['textColumn', 'pairColumn', 'labelColumn', 'labelColumns', 'labelSeparator'],
  ...['delimiter', 'encoding'],
] as const satisfies readonly (keyof Settings)[];

export function addEvaluate(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('evaluate')
    .description('measure a saved run or a classifier that transformers saved, on its own rows or on a table')
    .argument('<run>', 'folder of the run or model')
    .option('--table <file>', "rows to measure on, in the run's own columns or those named here")
    .option(
      '--label-map <names>',
      'classes of the run or the table that count as others, as neutral=not_entailment,contradiction=not_entailment',
      listFlag,
    )
    .addOption(jsonFlag());
  for (const name of [...READING, 'metrics', 'precision', 'engine'] as const)
    command.addOption(settingFlag(name));
  command.action(async (folder: string, flags: EvaluateFlags) => {
    done(await evaluate(folder, flags, settingsOf(command, ['table', 'labelMap', 'json']), terminal));
  });
}

async function evaluate(
  folder: string,
  { table, labelMap, json, engine, precision }: EvaluateFlags,
  settings: Settings,
  terminal: Terminal,
): Promise<number> {
  const saved = await savedTask(folder);
  const modules = await openModules(saved.config.methods);
  const { metrics } = withMetrics({ metrics: settings.metrics ?? saved.metrics?.slice() }, modules);
  if (!saved.finished) note(terminal, `${folder}: the run is not finished; go on with --resume ${folder}`);
  const map = labelMap && labelMapOf(labelMap);
  if (map && (table === undefined || saved.kind !== 'classification'))
    throw new HypetuneError('--label-map: is for --table and a run of one class a row.');
  const rows = await rowsToMeasure(table, saved, settings, folder, terminal, map);
  await startEngine(terminal, engine);
  const model = await openSaved(folder, saved, { metrics, precision, onWarning: warnOnce(terminal) });
  const data = await model.data(rows, terminal);
  noteData(terminal, rows, data.cut, saved.maxLength);
  const evaluation = await measured({ model, data, rows, map, metrics }, saved, terminal);
  model.dispose();
  if (json) print(terminal, JSON.stringify({ rows: rows.length, ...evaluation }, null, 2));
  else {
    print(terminal, `${metricsLine(evaluation)} on ${rows.length} rows`);
    if (evaluation.report) print(terminal, classTable(evaluation.report));
  }
  return 0;
}

interface Measuring {
  readonly model: TrainedModel;
  readonly data: TextData;
  readonly rows: readonly Row[];
  readonly map: LabelMap | undefined;
  readonly metrics: readonly (string | Metric)[] | undefined;
}

async function measured(
  { model: { trainer }, data, rows, map, metrics = ['accuracy'] }: Measuring,
  { labels }: SavedTask,
  terminal: Terminal,
): Promise<Pick<Evaluation, 'loss' | 'metrics' | 'report'>> {
  const told = counted(data, terminal, 'measured');
  if (map && mergedNames(labels, map).length < labels.length)
    return measureMerged(labels, map, await trainer.predictions(told), rows, metrics);
  const { loss, metrics: figures, report } = await trainer.evaluate(told);
  return { loss, metrics: figures, report };
}

async function rowsToMeasure(
  table: string | undefined,
  { config, kind, labels, pair }: SavedTask,
  settings: Settings,
  folder: string,
  terminal: Terminal,
  map?: LabelMap,
): Promise<readonly Row[]> {
  if (table === undefined) {
    if (config.task === undefined && config.train === undefined)
      throw new HypetuneError(`--table: ${folder} has no rows of its own; name a table to measure on.`);
    return (await openTask({ ...config, metrics: undefined, keepBest: undefined }, showDownloads(terminal)))
      .evaluation;
  }
  const layout = layoutOf({ ...config, ...settings }, kind, labels);
  if (pair && layout.columns.pair === undefined)
    throw new HypetuneError('--pair-column: the run takes pairs of texts; name the column of the second.');
  return rowsOf(
    await readTable(table, layout.options),
    layout.columns,
    map ? mappedLabels(labels, map) : layout.labels,
  );
}
