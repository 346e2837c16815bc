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
  compare(): Promise<readonly Comparison[]>;
}

/** A part as the page has it. */
export interface Certified extends Omit<Certificate, 'compare'> {
  /** In JSON a tolerance of Infinity is null. */
  readonly comparisons: readonly Comparison[];
}

/** The largest difference of two lists, relative to the largest number of the second; NaN where one is. */
export function relativeDifference(got: ArrayLike<number>, wanted: ArrayLike<number>): number {
  if (got.length !== wanted.length) throw new Error(`${got.length} numbers for ${wanted.length}`);
  let [difference, size] = [0, 0];
  for (let i = 0; i < wanted.length; i++) {
    const apart = Math.abs(got[i]! - wanted[i]!);
    if (!(apart <= difference)) difference = apart;
    size = Math.max(size, Math.abs(wanted[i]!));
  }
  return difference === 0 ? 0 : difference / size;
}

/** The largest of differences; NaN where one is. */
export const largest = (differences: readonly number[]): number =>
  differences.reduce((most, value) => (value <= most ? most : value), 0);
