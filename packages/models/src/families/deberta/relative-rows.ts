/** How distances between tokens share the rows of a table with 2 * span rows. */
export interface RelativeRowsConfig {
  /** Rows on either side of distance 0. */
  readonly span: number;
  /** Number of logarithmic buckets (`position_buckets`); 0 or less: each distance has a row. */
  readonly buckets: number;
  /** Distance at which the last bucket ends. */
  readonly maxDistance: number;
}

/** The rows that sequences of one length need. */
export interface RelativeRows {
  /** The first of them in the table, and how many there are. */
  readonly first: number;
  readonly count: number;
  /** For distances 1 - T, ..., T - 1 the row, counted from `first`; undefined where it is simply the next. */
  readonly indices: Int32Array | undefined;
}

/**
 * Bucket of a distance (He et al., 2021, appendix of DeBERTa v2): the distance itself below half the buckets, farther away
 * m + ceil(ln(d / m) / ln((max - 1) / m) (m - 1)) with m half the buckets, negative on the other side. In float32, as the
 * reference computes it.
 */
export function logBucket(distance: number, buckets: number, maxDistance: number): number {
  const middle = Math.floor(buckets / 2);
  const away = Math.abs(distance);
  if (away <= middle) return distance;
  const log = (x: number): number => Math.fround(Math.log(Math.fround(x)));
  const share = Math.fround(log(away / middle) / log((maxDistance - 1) / middle));
  return Math.sign(distance) * (Math.ceil(Math.fround(share * (middle - 1))) + middle);
}

/** The row of the table that a distance has. */
export function relativeRow(distance: number, { span, buckets, maxDistance }: RelativeRowsConfig): number {
  const bucket = buckets > 0 ? logBucket(distance, buckets, maxDistance) : distance;
  return Math.min(Math.max(bucket + span, 0), 2 * span - 1);
}

/** Which rows of the table distances from 1 - `length` to `length` - 1 have. */
export function relativeRows(length: number, config: RelativeRowsConfig): RelativeRows {
  const rows = Int32Array.from({ length: 2 * length - 1 }, (_, i) => relativeRow(i + 1 - length, config));
  const first = rows[0]!;
  const count = rows.at(-1)! - first + 1;
  const plain = rows.every((row, i) => row === first + i);
  return { first, count, indices: plain ? undefined : rows.map((row) => row - first) };
}
