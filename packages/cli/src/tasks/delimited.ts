import { HypetuneError } from '@hypetune/core';
import { CsvError, parse } from 'csv-parse/sync';

/** A line of cells. */
export interface DelimitedRecord {
  readonly line: number;
  readonly cells: readonly string[];
}

/** The lines of a table whose cells stand between delimiters; in a quoted one `"` may hold delimiters and line ends. */
export function delimitedRecords(
  text: string,
  file: string,
  isCsv: boolean,
  given: string | undefined,
): DelimitedRecord[] {
  const delimiter = given === undefined ? (isCsv ? delimiterOf(text) : '\t') : named(given);
  const quoted = isCsv || delimiter !== '\t';
  try {
    const records = parse(text, {
      bom: true,
      delimiter,
      quote: quoted ? '"' : false,
      // A quote inside of a cell that does not begin with one is a plain character: 5" screen.
      relax_quotes: true,
      record_delimiter: text.includes('\n') ? ['\r\n', '\n'] : ['\r'],
      relax_column_count: true,
      skip_empty_lines: true,
      info: true,
    }) as unknown as { record: string[]; info: { lines: number } }[];
    return records.map(({ record, info }) => ({ line: info.lines, cells: record }));
  } catch (error) {
    if (error instanceof CsvError) throw new HypetuneError(`${file}: ${error.message}.`);
    throw error;
  }
}

/** A comma where the first line has one, else a semicolon or a tab, as spreadsheets write where the comma is in numbers. */
function delimiterOf(text: string): string {
  const [head] = text.replace(/"[^"]*"/g, '').split(/\r?\n|\r/, 1);
  return [',', ';', '\t'].find((delimiter) => head!.includes(delimiter)) ?? ',';
}

function named(delimiter: string): string {
  const wanted = { tab: '\t', '\\t': '\t' }[delimiter] ?? delimiter;
  if (wanted.length === 1) return wanted;
  throw new HypetuneError(`--delimiter: must be one character or tab, got '${delimiter}'.`);
}
