import { text as readStream } from 'node:stream/consumers';
import { HypetuneError, type PrecisionOption } from '@hypetune/core';
import type { EngineName } from '@hypetune/engine';
import { type Command, Option } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import { startEngine } from '../engine.js';
import { FORMATS, type Format, formatOf, type PredictedRow, predictionText } from '../report/predictions.js';
import { noteUnfinished, openSaved, savedTask, type SavedTask } from '../saved-model.js';
import { noteData } from '../setup.js';
import { flagName, type Settings, settingsWith } from '../settings.js';
import { layoutOf } from '../tasks/layout.js';
import { checkThere } from '../tasks/open-task.js';
import { textsOf } from '../tasks/rows.js';
import { endingOf, TABLE_ENDINGS } from '../tasks/table.js';
import type { TextRow } from '../tasks/task.js';
import { readText } from '../text-file.js';
import { note, print, type Terminal, warnOnce } from '../terminal.js';
import { settingFlag, settingsOf } from './flags.js';

interface PredictFlags {
  readonly input?: string;
  readonly pair?: true;
  readonly format?: Format;
  readonly out?: string;
  readonly engine?: EngineName;
  readonly precision?: PrecisionOption;
}

/** Texts, and what else stands beside each. */
interface Input {
  readonly rows: readonly TextRow[];
  /** The columns of a table, all of them. */
  readonly columns?: readonly Readonly<Record<string, unknown>>[];
}

const READING = ['textColumn', 'pairColumn', 'delimiter', 'encoding'] as const;

export function addPredict(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('predict')
    .description('label new text by a saved run or a classifier that transformers saved')
    .argument('<run>', 'folder of the run or model')
    .argument(
      '[texts...]',
      'texts; for a pair task, text and pair in turn (default: lines of --input or of the input stream)',
    )
    .option(
      '--input <file>',
      `a table (${TABLE_ENDINGS.slice(0, 6).join(', ')}), read by the run's own columns, or a text a line (for a pair task two, with a tab)`,
    )
    .option(
      '--pair',
      'texts are pairs: of those given two in turn, of a line two with a tab (default: as the run was trained)',
    )
    .addOption(
      new Option('--format <form>', 'how it is written (default: as --out ends, else tsv)').choices(FORMATS),
    )
    .addOption(new Option('--json', 'the same as --format json').implies({ format: 'json' }))
    .option('--out <file>', 'write the predictions here');
  for (const name of [...READING, 'precision', 'engine'] as const) command.addOption(settingFlag(name));
  command.action(async (folder: string, texts: string[], flags: PredictFlags) => {
    const settings = settingsOf(command, ['input', 'pair', 'format', 'json', 'out']);
    done(await predict(folder, texts, flags, settings, terminal));
  });
}

async function predict(
  folder: string,
  texts: readonly string[],
  flags: PredictFlags,
  settings: Settings,
  terminal: Terminal,
): Promise<number> {
  if (flags.out !== undefined) await checkOutputFile(flags.out);
  if (texts.length > 0) checkNoInput(flags, settings);
  const saved = withPairs(await savedTask(folder), flags);
  noteUnfinished(terminal, folder, saved);
  checkThere([flags.input]);
  await startEngine(terminal, flags.engine);
  const { rows, columns } =
    texts.length > 0
      ? { rows: rowsOfArguments(texts, saved) }
      : await rowsOfInput(flags.input, saved, settings, terminal);
  const { precision } = flags;
  const model = await openSaved(folder, saved, { precision, onWarning: warnOnce(terminal) });
  const data = await model.data(rows, terminal);
  noteData(terminal, rows, data.cut, saved.maxLength);
  const { task } = model.trainer.options;
  const said = await model.say(rows, data, terminal);
  model.dispose();
  const predicted = rows.map((row, index): PredictedRow => {
    const columnsOfRow = columns?.[index] ?? (row.words ? { tokens: row.words } : { ...row });
    return { columns: columnsOfRow, ...said[index]! };
  });
  const { labelSeparator = '|' } = saved.config;
  const format = flags.format ?? formatOf(flags.out);
  const output = predictionText(predicted, format, task.kind === 'tokens' ? ' ' : labelSeparator);
  if (flags.out === undefined) print(terminal, output);
  else {
    await writeWhole(flags.out, `${output}\n`);
    note(terminal, `${said.length} predictions in ${flags.out}`);
  }
  return 0;
}

/** What is known of a model, with what `--pair` says. Throws where the run was trained on single texts. */
function withPairs(saved: SavedTask, { pair }: PredictFlags): SavedTask {
  if (pair && saved.pair === false) throw new HypetuneError('--pair: the run takes single texts.');
  return pair ? { ...saved, pair } : saved;
}

/** Throws where texts are given and a table, or how to read one, as well. */
function checkNoInput({ input }: PredictFlags, settings: Settings): void {
  const reading = READING.find((name) => settings[name] !== undefined);
  const other = input === undefined ? reading && flagName(reading) : '--input';
  if (other !== undefined)
    throw new HypetuneError(
      `${other}: is for texts of a file, and texts are given beside it, as arguments; give one of both.`,
    );
}

function rowsOfArguments(texts: readonly string[], saved: SavedTask): TextRow[] {
  if (!saved.pair) return texts.map((text) => textRow(text, saved));
  if (texts.length % 2 !== 0)
    throw new HypetuneError(`predict: the run takes pairs of texts, got ${texts.length} texts.`);
  return Array.from({ length: texts.length / 2 }, (_, row) => ({
    text: texts[2 * row]!,
    pair: texts[2 * row + 1]!,
  }));
}

/** A text as a row; of a task that labels words, its parts between spaces. */
function textRow(text: string, { kind }: SavedTask): TextRow {
  return kind === 'token-classification' ? { text, words: text.trim().split(/\s+/) } : { text };
}

async function rowsOfInput(
  input: string | undefined,
  saved: SavedTask,
  settings: Settings,
  terminal: Terminal,
): Promise<Input> {
  const named = (['textColumn', 'pairColumn'] as const).find((name) => settings[name] !== undefined);
  if (input === undefined && named !== undefined)
    throw new HypetuneError(`${flagName(named)}: names a column of --input, which is missing.`);
  if (input !== undefined && (named !== undefined || TABLE_ENDINGS.includes(endingOf(input))))
    return rowsOfTable(input, saved, settings);
  if (input === undefined && process.stdin.isTTY) note(terminal, 'a text a line; Ctrl-D ends');
  const name = input ?? 'the input stream';
  const content =
    input === undefined ? await readStream(process.stdin) : await readText(input, settings.encoding);
  const rows = content
    .split(/\r\n|\n|\r/)
    .map((text, place) => ({ text, line: place + 1 }))
    .filter(({ text }) => text.trim() !== '')
    .map(({ text, line }) => (saved.pair ? pairOfLine(text, `${name}:${line}`) : textRow(text, saved)));
  if (rows.length === 0) throw new HypetuneError(`${name}: there is no text.`);
  return { rows };
}

async function rowsOfTable(input: string, saved: SavedTask, settings: Settings): Promise<Input> {
  const layout = layoutOf(settingsWith(saved.config, settings), saved.kind, saved.labels);
  const table = await layout.read(input);
  const columns = layout.columns(table);
  if (saved.pair !== undefined && saved.pair !== (columns.pair !== undefined))
    throw new HypetuneError(
      `--pair-column: the run takes ${saved.pair ? 'pairs of texts' : 'single texts'}.`,
    );
  const rows = textsOf(table, columns);
  const { header } = table;
  if (!header) return { rows };
  return {
    rows,
    columns: table.rows.map(({ cells }) =>
      Object.fromEntries(header.map((name, place) => [name, cells[place]])),
    ),
  };
}

function pairOfLine(line: string, place: string): TextRow {
  const [text, pair, ...more] = line.split('\t');
  if (text === undefined || pair === undefined || more.length > 0)
    throw new HypetuneError(
      `${place}: expected two texts with a tab between them, got ${more.length + (pair === undefined ? 1 : 2)}.`,
    );
  return { text, pair };
}
