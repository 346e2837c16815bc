import { HypetuneError, show } from '@hypetune/core';

/** How the label cells of a table become numbers. */
export interface Labels {
  /** Class names by index; empty for a regression. */
  readonly names: readonly string[];
  /** The label in a cell; throws with the place if it is none. */
  read(cell: string, place: string): number;
}

/** Classes whose cells are `cells`, shown as `names`. */
export function classLabels(cells: readonly string[], names: readonly string[] = cells): Labels {
  const index = new Map(cells.map((cell, label) => [cell, label]));
  return {
    names,
    read: (cell, place) => {
      const label = index.get(cell.trim());
      if (label !== undefined) return label;
      throw new HypetuneError(
        `${place}: the label must be one of ${cells.map(show).join(', ')}, got ${show(cell)}.`,
      );
    },
  };
}

/** The classes that occur among these cells: in numeric order if all are whole numbers, else by name. */
export function classesIn(cells: readonly string[]): Labels {
  const names = [...new Set(cells.map((cell) => cell.trim()))];
  const numeric = names.every((name) => /^\d+$/.test(name));
  names.sort(numeric ? (a, b) => Number(a) - Number(b) : (a, b) => (a < b ? -1 : 1));
  return classLabels(names);
}

/** Target values of a regression, from `min` to `max`. */
export function valueLabels(min: number = -Infinity, max: number = Infinity): Labels {
  const wanted = min > -Infinity ? `a number from ${min} to ${max}` : 'a number';
  return {
    names: [],
    read: (cell, place) => {
      const value = cell.trim() === '' ? NaN : Number(cell);
      if (Number.isFinite(value) && value >= min && value <= max) return value;
      throw new HypetuneError(`${place}: the label must be ${wanted}, got ${show(cell)}.`);
    },
  };
}
