import { HypetuneError, type Label, show } from '@hypetune/core';
import { isMissing, listCell, listOfText } from './cells.js';

/** How the label cells of a table become labels. */
export interface Labels {
  /** Names of the classes, labels or targets in the order of the outputs; empty where a value has no name. */
  readonly names: readonly string[];
  /** The label in the cells of the label columns; throws with the place if it is none. */
  read(cells: readonly unknown[], place: string): Label;
}

/** The name in a label cell; throws where there is none. */
export function labelName(cell: unknown, place: string): string {
  if (isMissing(cell)) throw new HypetuneError(`${place}: the label is missing.`);
  const list = cell instanceof Array || (typeof cell === 'string' && listOfText(cell) !== undefined);
  if (list || typeof cell === 'object')
    throw new HypetuneError(
      `${place}: the label is ${list ? 'a list' : 'an object'}, ${show(cell)}; for several labels a row say --problem multi-label, for one a word --problem token-classification.`,
    );
  return String(cell as string | number | boolean).trim();
}

/** Classes whose cells are `cells`, shown as `names`. */
export function classLabels(cells: readonly string[], names: readonly string[] = cells): Labels {
  const index = indexOf(cells);
  return { names, read: ([cell], place) => classOf(labelName(cell, place), index, place) };
}

function classOf(name: string, index: ReadonlyMap<string, number>, place: string): number {
  const label = index.get(name);
  if (label !== undefined) return label;
  throw new HypetuneError(
    `${place}: the label must be one of ${[...index.keys()].map(show).join(', ')}, got ${show(name)}.`,
  );
}

function indexOf(names: readonly string[]): ReadonlyMap<string, number> {
  return new Map(names.map((name, place) => [name, place]));
}

/** Names that occur, each once: in numeric order if all are whole numbers, else by name. */
export function namesIn(names: Iterable<string>): string[] {
  const found = [...new Set(names)];
  const numeric = found.every((name) => /^-?\d+$/.test(name));
  return found.sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
}

/** Target values of a regression from `min` to `max`: one for each label column, or a list of them in the only one. */
export function valueLabels(
  min: number = -Infinity,
  max: number = Infinity,
  names: readonly string[] = [],
): Labels {
  const wanted = min > -Infinity ? `a number from ${min} to ${max}` : 'a number';
  const value = (cell: unknown, place: string): number => {
    const number = isMissing(cell) ? NaN : Number(cell);
    if (Number.isFinite(number) && number >= min && number <= max) return number;
    throw new HypetuneError(`${place}: the label must be ${wanted}, got ${show(cell ?? '')}.`);
  };
  return {
    names,
    read: (cells, place) => {
      const list = cells.length === 1 && cells[0] instanceof Array ? (cells[0] as unknown[]) : cells;
      const count = Math.max(1, names.length);
      if (list.length !== count)
        throw new HypetuneError(
          `${place}: the label must be ${count === 1 ? wanted : `a list of ${count} numbers (${names.join(', ')})`}, got ${show(cells[0])}.`,
        );
      return count === 1 ? value(list[0], place) : list.map((cell) => value(cell, place));
    },
  };
}

/** The labels of a cell: a list, or a text that holds one as JSON or with a separator; none where it is an empty text. */
export function labelsInCell(cell: unknown, separator: string, place: string): string[] {
  if (cell === undefined || cell === null) throw new HypetuneError(`${place}: the label is missing.`);
  const parts =
    cell instanceof Array
      ? cell
      : typeof cell === 'string'
        ? (listOfText(cell) ?? cell.split(separator))
        : [cell];
  return parts.map((part: unknown) => String(part).trim()).filter((name) => name !== '');
}

/** Whether a cell is a list of 0 and 1, one for each of `size` labels. */
export function isIndicators(cell: unknown, size: number): cell is number[] {
  return cell instanceof Array && cell.length === size && cell.every((yes) => yes === 0 || yes === 1);
}

/** Any number of these labels, in one cell: their names, or 0 and 1 for each in turn. */
export function listLabels(names: readonly string[], separator: string): Labels {
  const index = indexOf(names);
  return {
    names,
    read: ([cell], place) => {
      if (isIndicators(cell, names.length) && !names.includes('1')) return cell;
      const found = labelsInCell(cell, separator, place).map((name) => classOf(name, index, place));
      return names.map((_, label) => (found.includes(label) ? 1 : 0));
    },
  };
}

/** Any number of labels, a column of 0 and 1 for each. */
export function columnLabels(names: readonly string[]): Labels {
  return {
    names,
    read: (cells, place) =>
      cells.map((cell, column) => {
        const text = String((cell as string | number | boolean | null | undefined) ?? '')
          .trim()
          .toLowerCase();
        if (['1', '1.0', 'true', 'yes'].includes(text)) return 1;
        if (['0', '0.0', 'false', 'no'].includes(text)) return 0;
        throw new HypetuneError(`${place}: '${names[column]!}' must be 0 or 1, got ${show(cell ?? '')}.`);
      }),
  };
}

/** A class for each word. A number that is no name counts as the place of one. */
export function wordLabels(names: readonly string[]): Labels {
  const index = indexOf(names);
  return {
    names,
    read: ([cell], place) =>
      wordsInCell(cell, place).map((label) =>
        typeof label === 'number' && !index.has(String(label)) && label in names
          ? label
          : classOf(labelName(label, place), index, place),
      ),
  };
}

/** The labels of the words in a cell. */
export function wordsInCell(cell: unknown, place: string): readonly unknown[] {
  if (isMissing(cell)) throw new HypetuneError(`${place}: the label is missing.`);
  return listCell(cell, place, 'the labels');
}
