import { shuffled } from '@hypetune/core';
import { seedKey } from '@hypetune/ops';
import { parse } from 'csv-parse/browser/esm/sync';
import type { Row } from './messages.js';

/** The rows of a table with the columns text and label, cells apart by commas, semicolons or tabs. Throws where there are none. */
export function readTable(text: string): Row[] {
  const [head = ''] = text.split('\n', 1);
  const delimiter = ['\t', ',', ';'].find((one) => head.includes(one)) ?? ',';
  const rows = parse<Partial<Row>>(text, {
    ...{ columns: true, bom: true, trim: true, delimiter, quote: delimiter === '\t' ? false : '"' },
    ...{ relax_quotes: true, skip_empty_lines: true, relax_column_count: true },
  });
  if (rows[0]?.text === undefined || rows[0].label === undefined)
    throw new Error(`The first line must name the columns text and label; it is "${head.slice(0, 60)}".`);
  return rows.map(({ text: cell, label }, index) => {
    if (cell && label) return { text: cell, label };
    throw new Error(`Row ${index + 1} has no ${cell ? 'label' : 'text'}.`);
  });
}

/** Sets a tenth of each class aside, at least one row, to measure on. Throws where a class has a single row. */
export function split(rows: readonly Row[]): { labels: string[]; train: Row[]; evaluation: Row[] } {
  const order = shuffled(rows.length, seedKey(0)).map((index) => rows[index]!);
  const labels = [...new Set(rows.map(({ label }) => label))].sort();
  if (labels.length < 2) throw new Error(`There must be two labels at least; all rows have "${labels[0]}".`);
  const [train, evaluation]: [Row[], Row[]] = [[], []];
  for (const label of labels) {
    const own = order.filter((row) => row.label === label);
    if (own.length < 2) throw new Error(`There must be two rows of each label; "${label}" has one.`);
    const aside = Math.ceil(own.length / 10);
    evaluation.push(...own.slice(0, aside));
    train.push(...own.slice(aside));
  }
  return { labels, train, evaluation };
}
