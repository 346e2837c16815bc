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
