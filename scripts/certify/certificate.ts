import { apart } from '../../test/parity/families.js';

/** What two computations that should agree gave. */
export interface Comparison {
  readonly name: string;
  /** Largest difference, relative to the largest number of the same kind (a tensor, the losses). */
  readonly difference: number;
  /** What it may be at most; Infinity where a source's own formula makes a difference, which `note` names. */
  readonly tolerance: number;
  readonly note?: string;
}

/** A part of the table, and a line on what is compared with what. */
export interface Certificate {
  readonly name: string;
  readonly summary: string;
  readonly compare: () => Promise<readonly Comparison[]>;
}

/** A part as the page has it. */
export interface Certified extends Omit<Certificate, 'compare'> {
  /** In JSON a tolerance of Infinity is null. */
  readonly comparisons: readonly Comparison[];
}

/** The largest difference of two lists, relative to the largest number of the second; NaN where one is. */
export function relativeDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  const difference = apart(got, wanted);
  return difference === 0 ? 0 : difference / apart(wanted, new Float64Array(wanted.length));
}

/** The largest of differences; NaN where one is. */
export const largest = (differences: readonly number[]): number => Math.max(0, ...differences);
