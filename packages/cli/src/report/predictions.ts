import type { Said } from '../saved-model.js';

/** How predictions are written. */
export type Format = 'tsv' | 'csv' | 'json' | 'jsonl';

export const FORMATS: readonly Format[] = ['tsv', 'csv', 'json', 'jsonl'];

/** A row and what is said of it. */
export interface PredictedRow extends Said {
  /** What came in: the text, or every column of its table. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * Predictions as text, no line end behind. What is said of a row comes first, then the row itself; a column of both has
 * `predicted_` before its name. `separator` stands between several labels of a cell.
 */
export function predictionText(rows: readonly PredictedRow[], format: Format, separator: string): string {
  if (format === 'json') return JSON.stringify(rows.map(objectOf), null, 2);
  if (format === 'jsonl') return rows.map((row) => JSON.stringify(objectOf(row))).join('\n');
  const [first] = rows;
  if (!first) return '';
  const head = [
    ...[...Object.keys(first.said), ...first.probabilities.map(([name]) => name)].map((name) =>
      freeName(name, first),
    ),
    ...Object.keys(first.columns),
  ];
  const lines = rows.map(({ columns, said, probabilities }) => [
    ...Object.values(said).map((value) =>
      typeof value === 'number' ? value.toFixed(4) : cell(value, separator),
    ),
    ...probabilities.map(([, value]) => value.toFixed(4)),
    ...Object.values(columns).map((value) => cell(value, ' ')),
  ]);
  const [between, written] = format === 'csv' ? [',', quoted] : ['\t', onOneLine];
  return [head, ...lines].map((cells) => cells.map(written).join(between)).join('\n');
}

function objectOf(row: PredictedRow): Record<string, unknown> {
  const { columns, said, probabilities } = row;
  return {
    ...columns,
    ...Object.fromEntries(Object.entries(said).map(([name, value]) => [freeName(name, row), value])),
    ...(probabilities.length > 0 && {
      [freeName('probabilities', row)]: Object.fromEntries(probabilities),
    }),
  };
}

function freeName(name: string, { columns }: PredictedRow): string {
  return name in columns ? freeName(`predicted_${name}`, { columns } as PredictedRow) : name;
}

function cell(value: unknown, separator: string): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Array) return value.map((part: string | null) => part ?? '-').join(separator);
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}

function onOneLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
