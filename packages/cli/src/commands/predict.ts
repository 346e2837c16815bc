import { text as readStream } from 'node:stream/consumers';
import { HypetuneError } from '@hypetune/core';
import { type Command, Option } from 'commander';
import { writeWhole } from '../atomic.js';
import { startEngine } from '../engine.js';
import { readRun } from '../run-folder.js';
import { openRun } from '../saved-model.js';
import { columnOf, readTable } from '../tasks/table.js';
import { readText } from '../text-file.js';
import { note, print, type Terminal } from '../terminal.js';
import { settingFlag } from './flags.js';

interface PredictFlags {
  readonly input?: string;
  readonly textColumn?: string;
  readonly pairColumn?: string;
  readonly format: 'tsv' | 'json';
  readonly out?: string;
  readonly engine?: string;
}

interface TextRow {
  readonly text: string;
  readonly pair?: string;
}

/** What is said about one text. */
export type Prediction = TextRow &
  (
    | { readonly label: string; readonly probabilities: Readonly<Record<string, number>> }
    | { readonly value: number }
  );

export function addPredict(program: Command, terminal: Terminal, done: (code: number) => void): void {
  const command = program
    .command('predict')
    .description('label new text by a saved run')
    .argument('<run>', 'folder that train saved')
    .argument(
      '[texts...]',
      'texts; for a pair task, text and pair in turn (default: lines of --input or of the input stream)',
    )
    .option(
      '--input <file>',
      'a text a line (for a pair task two, with a tab), or a table with --text-column',
    )
    .option('--text-column <name>', 'column of the text in --input')
    .option('--pair-column <name>', 'column of the second text in --input')
    .addOption(new Option('--format <form>').choices(['tsv', 'json']).default('tsv'))
    .option('--out <file>', 'write the predictions here')
    .addOption(settingFlag('engine'));
  command.action(async (folder: string, texts: string[], flags: PredictFlags) => {
    done(await predict(folder, texts, flags, terminal));
  });
}

async function predict(
  folder: string,
  texts: string[],
  flags: PredictFlags,
  terminal: Terminal,
): Promise<number> {
  const record = await readRun(folder);
  const { pair, labels } = record.task;
  const rows = texts.length > 0 ? rowsOfArguments(texts, pair) : await rowsOfInput(flags, pair, terminal);
  await startEngine(terminal, flags.engine);
  const saved = await openRun(folder, record);
  const logits = await saved.trainer.predict(saved.data(rows));
  saved.dispose();
  const predictions = rows.map((row, index) => ({ ...row, ...predictionOf(logits[index]!, labels) }));
  const output =
    flags.format === 'json' ? JSON.stringify(predictions, null, 2) : tsv(predictions, labels, pair);
  if (flags.out === undefined) print(terminal, output);
  else {
    await writeWhole(flags.out, `${output}\n`);
    note(terminal, `${predictions.length} predictions in ${flags.out}`);
  }
  return 0;
}

/** The likeliest class with the softmax of the logits, or the value of a regression. */
export function predictionOf(
  logits: ArrayLike<number>,
  labels: readonly string[],
): { label: string; probabilities: Record<string, number> } | { value: number } {
  if (labels.length === 0) return { value: logits[0]! };
  const values = Array.from(logits);
  const top = Math.max(...values);
  const weights = values.map((value) => Math.exp(value - top));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return {
    label: labels[values.indexOf(top)]!,
    probabilities: Object.fromEntries(labels.map((name, index) => [name, weights[index]! / sum])),
  };
}

function rowsOfArguments(texts: readonly string[], pair: boolean): TextRow[] {
  if (!pair) return texts.map((text) => ({ text }));
  if (texts.length % 2 !== 0)
    throw new HypetuneError(`predict: the run takes pairs of texts, got ${texts.length} texts.`);
  return Array.from({ length: texts.length / 2 }, (_, row) => ({
    text: texts[2 * row]!,
    pair: texts[2 * row + 1]!,
  }));
}

async function rowsOfInput(flags: PredictFlags, pair: boolean, terminal: Terminal): Promise<TextRow[]> {
  const { input, textColumn, pairColumn } = flags;
  if (textColumn !== undefined) {
    if (input === undefined)
      throw new HypetuneError('--text-column: names a column of --input, which is missing.');
    if (pair !== (pairColumn !== undefined))
      throw new HypetuneError(`--pair-column: the run takes ${pair ? 'pairs of texts' : 'single texts'}.`);
    const table = await readTable(input);
    const text = columnOf(table, textColumn, '--text-column');
    const second = pairColumn === undefined ? undefined : columnOf(table, pairColumn, '--pair-column');
    return table.rows.map(({ cells }) => ({
      text: cells[text]!,
      ...(second !== undefined && { pair: cells[second]! }),
    }));
  }
  if (input === undefined && process.stdin.isTTY) note(terminal, 'a text a line; Ctrl-D ends');
  const name = input ?? 'the input stream';
  const content = input === undefined ? await readStream(process.stdin) : await readText(input);
  const lines = content.split(/\r?\n/).map((text, place) => ({ text, line: place + 1 }));
  const rows = lines
    .filter(({ text }) => text.trim() !== '')
    .map(({ text, line }) => (pair ? pairOfLine(text, `${name}:${line}`) : { text }));
  if (rows.length === 0) throw new HypetuneError(`${name}: there is no text.`);
  return rows;
}

function pairOfLine(line: string, place: string): TextRow {
  const [text, pair, ...more] = line.split('\t');
  if (text === undefined || pair === undefined || more.length > 0)
    throw new HypetuneError(
      `${place}: expected two texts with a tab between them, got ${more.length + (pair === undefined ? 1 : 2)}.`,
    );
  return { text, pair };
}

function tsv(predictions: readonly Prediction[], labels: readonly string[], pair: boolean): string {
  const head = [...(labels.length > 0 ? ['label', ...labels] : ['value']), 'text', ...(pair ? ['pair'] : [])];
  const rows = predictions.map((prediction) => [
    ...('value' in prediction
      ? [prediction.value.toFixed(4)]
      : [prediction.label, ...Object.values(prediction.probabilities).map((p) => p.toFixed(4))]),
    prediction.text,
    ...(prediction.pair === undefined ? [] : [prediction.pair]),
  ]);
  return [head, ...rows]
    .map((cells) => cells.map((cell) => cell.replace(/[\t\r\n]+/g, ' ')).join('\t'))
    .join('\n');
}
