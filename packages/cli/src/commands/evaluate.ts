import type { Command } from 'commander';
import { startEngine } from '../engine.js';
import { showDownloads } from '../download.js';
import { readRun, type RunRecord } from '../run-folder.js';
import { openRun } from '../saved-model.js';
import { classLabels, valueLabels } from '../tasks/labels.js';
import { openTask } from '../tasks/open-task.js';
import { rowsOf } from '../tasks/rows.js';
import { readTable } from '../tasks/table.js';
import type { Row } from '../tasks/task.js';
import { print, type Terminal } from '../terminal.js';
import { settingFlag } from './flags.js';

interface EvaluateFlags {
  readonly table?: string;
  readonly engine?: string;
}

export function addEvaluate(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('evaluate')
    .description('measure a saved run again, on its own rows or on a table')
    .argument('<run>', 'folder that train saved')
    .option('--table <file>', 'rows to measure on, with the columns the run was trained with')
    .addOption(settingFlag('engine'))
    .action(async (folder: string, flags: EvaluateFlags) => {
      done(await evaluate(folder, flags, terminal));
    });
}

async function evaluate(
  folder: string,
  { table, engine }: EvaluateFlags,
  terminal: Terminal,
): Promise<number> {
  const record = await readRun(folder);
  const rows =
    table === undefined
      ? (await openTask(record.config, showDownloads(terminal))).evaluation
      : await tableRows(table, record);
  await startEngine(terminal, engine);
  const saved = await openRun(folder, record);
  const { metrics } = await saved.trainer.evaluate(saved.data(rows));
  saved.dispose();
  const values = Object.entries(metrics);
  print(
    terminal,
    `${values.map(([name, value]) => `${name} ${value.toFixed(4)}`).join(', ')} on ${rows.length} rows`,
  );
  return 0;
}

async function tableRows(file: string, { config, task }: RunRecord): Promise<Row[]> {
  const { textColumn = 'text', pairColumn, labelColumn = 'label' } = config;
  const labels = task.kind === 'regression' ? valueLabels() : classLabels(task.labels);
  return rowsOf(await readTable(file), { text: textColumn, pair: pairColumn, label: labelColumn }, labels);
}
