import { HypetuneError, show } from '@hypetune/core';

/** Whether a cell says nothing: an absent key, null, or an empty text. */
export function isMissing(cell: unknown): boolean {
  return cell === undefined || cell === null || (typeof cell === 'string' && cell.trim() === '');
}

/** The text in a cell; a number is its print. Throws on a list and where there is none; an empty text is one. */
export function textCell(cell: unknown, place: string, column: string): string {
  if (typeof cell === 'string') return cell;
  if (typeof cell === 'number' || typeof cell === 'boolean') return String(cell);
  const got = cell === undefined || cell === null ? 'nothing' : show(cell);
  throw new HypetuneError(`${place}: '${column}' must hold a text, got ${got}.`);
}

/** The words in a cell: a list, or a text that holds one as JSON or with spaces between the words. */
export function listCell(cell: unknown, place: string, column: string): readonly unknown[] {
  if (cell instanceof Array) return cell;
  if (typeof cell === 'string') return listOfText(cell) ?? cell.trim().split(/\s+/);
  throw new HypetuneError(
    `${place}: '${column}' must hold a list, got ${isMissing(cell) ? 'nothing' : show(cell)}.`,
  );
}

/** The list that a text holds as JSON; undefined where it holds none. */
export function listOfText(text: string): readonly unknown[] | undefined {
  if (!text.trimStart().startsWith('[')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return value instanceof Array ? value : undefined;
  } catch {
    return undefined;
  }
}
