import { HypetuneError } from '@hypetune/core';
import { columnOf, readTable, type TableOptions } from './tasks/table.js';
import type { TextExample } from './text-classifier.js';

/** Which columns of a table are read, and how. */
export interface ExampleColumns extends Pick<TableOptions, 'delimiter' | 'encoding'> {
  /** Default `text`. */
  readonly text?: string;
  /** Column of the second text of a pair; default: there is none. */
  readonly pair?: string;
  /** Default `label`. */
  readonly label?: string;
}

/**
 * The rows of a table (`.csv`, `.tsv`, `.jsonl`, `.json`, `.parquet`) for {@link TextClassifier}. Throws, naming file and line, where a
 * column or a text is missing.
 */
export async function readExamples(file: string, columns: ExampleColumns = {}): Promise<TextExample[]> {
  const { text = 'text', pair, label = 'label', ...reading } = columns;
  const table = await readTable(file, reading);
  const places = [text, label, ...(pair === undefined ? [] : [pair])].map((name) =>
    columnOf(table, name, 'readExamples'),
  );
  return table.rows.map(({ line, cells }) => {
    const [read, said, second] = places.map((place) => cells[place]);
    if (typeof read !== 'string')
      throw new HypetuneError(`${file}:${line}: '${text}' must be a text, got ${typeof read}.`);
    return {
      text: read,
      label: said as TextExample['label'],
      ...(pair !== undefined && { pair: second as string }),
    };
  });
}
