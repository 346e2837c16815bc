import type { Said } from '../saved-model.js';

/** How predictions are written. */
export type Format = 'tsv' | 'csv' | 'json' | 'jsonl';

export const FORMATS: readonly Format[] = ['tsv', 'csv', 'json', 'jsonl'];

/** The format that a file's ending asks for; tab-separated where it asks for none. */
export function formatOf(file: string | undefined): Format {
  return FORMATS.find((format) => file?.toLowerCase().endsWith(`.${format}`)) ?? 'tsv';
}

/** A row and what is said of it. */
export interface PredictedRow extends Said {
  /** What came in: the text, or every column of its table. */
  readonly columns: Readonly<Record<string, unknown>>;
}

/**
 * Predictions as text, no line end behind. What is said of a row comes first, then the row itself; a name that is taken has
 * `predicted_` before it. `separator` stands between several labels of a cell.
 */
export function predictionText(rows: readonly PredictedRow[], format: Format, separator: string): string {
  if (format === 'json') return JSON.stringify(rows.map(objectOf), null, 2);
  if (format === 'jsonl') return rows.map((row) => JSON.stringify(objectOf(row))).join('\n');
  const [first] = rows;
  if (!first) return '';
  const names = [...Object.keys(first.said), ...first.probabilities.map(([name]) => name)];
  const head = [...freeNames(names, first), ...Object.keys(first.columns)];
  const lines = rows.map(({ columns, said, probabilities }) => [
    ...Object.values(said).map((value) =>
      typeof value === 'number' ? valueText(value) : cell(value, separator),
    ),
    ...probabilities.map(([, value]) => value.toFixed(4)),
    ...Object.values(columns).map((value) => cell(value, separator)),
  ]);
  const [between, written] = format === 'csv' ? [',', quoted] : ['\t', onOneLine];
  return [head, ...lines].map((cells) => cells.map(written).join(between)).join('\n');
}

/** A value of any size with the seven digits that a float32 has. */
function valueText(value: number): string {
  return String(Number(value.toPrecision(7)));
}

function objectOf(row: PredictedRow): Record<string, unknown> {
  const { columns, said, probabilities } = row;
  const told: [string, unknown][] = Object.entries(said);
  if (probabilities.length > 0) told.push(['probabilities', Object.fromEntries(probabilities)]);
  const names = freeNames(
    told.map(([name]) => name),
    row,
  );
  return { ...columns, ...Object.fromEntries(told.map(([, value], place) => [names[place]!, value])) };
}

/** The names of what is said of a row, none of them that of a column or of one before it. */
function freeNames(names: readonly string[], { columns }: PredictedRow): string[] {
  const taken = new Set(Object.keys(columns));
  return names.map((name) => {
    let free = name;
    while (taken.has(free)) free = `predicted_${free}`;
    taken.add(free);
    return free;
  });
}

function cell(value: unknown, separator: string): string {
  if (value === undefined || value === null) return '';
  if (value instanceof Array) {
    const parts = value.map((part: unknown) => part ?? '-');
    const isPlain = (part: unknown): part is string => typeof part === 'string' && !part.includes(separator);
    // As JSON it is read as it was; with separators it would be read as something else.
    return parts.every(isPlain) ? parts.join(separator) : JSON.stringify(value);
  }
  return typeof value === 'object' ? JSON.stringify(value) : String(value as string | number | boolean);
}

function onOneLine(text: string): string {
  return text.replace(/[\t\r\n]+/g, ' ');
}

function quoted(text: string): string {
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
