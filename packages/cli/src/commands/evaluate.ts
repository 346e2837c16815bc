import { HypetuneError, type PrecisionOption } from '@hypetune/core';
import type { Command } from 'commander';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { classTable, metricsLine } from '../report/figures.js';
import { openSaved, savedTask, type SavedTask } from '../saved-model.js';
import { noteData } from '../setup.js';
import type { Settings } from '../settings.js';
import { layoutOf } from '../tasks/layout.js';
import { openTask } from '../tasks/open-task.js';
import { rowsOf } from '../tasks/rows.js';
import { readTable } from '../tasks/table.js';
import type { Row } from '../tasks/task.js';
import { note, print, type Terminal } from '../terminal.js';
import { settingFlag, settingsOf } from './flags.js';

interface EvaluateFlags {
  readonly table?: string;
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
    .option('--json', 'print loss, metrics and the figures of every class as JSON');
  for (const name of [...READING, 'metrics', 'precision', 'engine'] as const)
    command.addOption(settingFlag(name));
  command.action(async (folder: string, flags: EvaluateFlags) => {
    done(await evaluate(folder, flags, settingsOf(command, ['table', 'json']), terminal));
  });
}

async function evaluate(
  folder: string,
  { table, json, engine, precision }: EvaluateFlags,
  settings: Settings,
  terminal: Terminal,
): Promise<number> {
  const found = await savedTask(folder);
  const saved = { ...found, metrics: settings.metrics ?? found.metrics };
  if (!saved.finished) note(terminal, `${folder}: the run is not finished; go on with --resume ${folder}`);
  const rows = await rowsToMeasure(table, saved, settings, folder, terminal);
  await startEngine(terminal, engine);
  const model = await openSaved(folder, saved, {
    precision,
    onWarning: (message) => {
      note(terminal, message);
    },
  });
  const data = model.data(rows);
  noteData(terminal, rows, data.cut, saved.maxLength);
  const evaluation = await model.trainer.evaluate(data);
  model.dispose();
  if (json) print(terminal, JSON.stringify({ rows: rows.length, ...evaluation }, null, 2));
  else {
    print(terminal, `${metricsLine(evaluation)} on ${rows.length} rows`);
    if (evaluation.report) print(terminal, classTable(evaluation.report));
  }
  return 0;
}

async function rowsToMeasure(
  table: string | undefined,
  { config, kind, labels, pair }: SavedTask,
  settings: Settings,
  folder: string,
  terminal: Terminal,
): Promise<readonly Row[]> {
  if (table === undefined) {
    if (config.task === undefined && config.train === undefined)
      throw new HypetuneError(`--table: ${folder} has no rows of its own; name a table to measure on.`);
    return (await openTask(config, showDownloads(terminal))).evaluation;
  }
  const layout = layoutOf({ ...config, ...settings }, kind, labels);
  if (pair && layout.columns.pair === undefined)
    throw new HypetuneError('--pair-column: the run takes pairs of texts; name the column of the second.');
  return rowsOf(await readTable(table, layout.options), layout.columns, layout.labels);
}
