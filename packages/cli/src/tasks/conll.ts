import { HypetuneError } from '@hypetune/core';
import type { Table } from './table.js';

/**
 * A word a line with its label in the last column, an empty line between two sentences, as the CoNLL shared tasks have it: a table
 * of the columns `tokens` and `labels` (`tokens` alone where there is one column). The line of a row is that of its first word.
 */
export function columnsOfWords(text: string, file: string): Omit<Table, 'file'> {
  const rows: { line: number; cells: [words: string[], labels: string[]] }[] = [];
  let [columns, open] = [0, false];
  for (const [place, source] of text.split(/\r\n|\n|\r/).entries()) {
    const cells = source.trim().split(source.includes('\t') ? /\t+/ : /\s+/);
    if (source.trim() === '' || cells[0] === '-DOCSTART-') {
      open = false;
      continue;
    }
    columns ||= cells.length;
    if (cells.length !== columns)
      throw new HypetuneError(`${file}:${place + 1}: ${cells.length} columns, expected ${columns}.`);
    if (!open) rows.push({ line: place + 1, cells: [[], []] });
    open = true;
    const [words, labels] = rows.at(-1)!.cells;
    words.push(cells[0]!);
    labels.push(cells.at(-1)!);
  }
  if (columns !== 1) return { header: ['tokens', 'labels'], rows };
  return { header: ['tokens'], rows: rows.map(({ line, cells: [words] }) => ({ line, cells: [words] })) };
}
