/**
 * Where the elements of a draw lie among the blocks of its key. The first axis holds the rows of a batch, the last one the
 * features of a place, those between them places. An element's counter follows from its own coordinates, with strides that
 * no length but the features' can reach: so a row has the same draw whatever rows stand beside it, a token the same whatever
 * padding follows it, and a pair of tokens in attention as well. Row 2p and row 2p + 1 share the blocks of pair p.
 */
export interface DrawLayout {
  readonly rows: number;
  /** Of the axes between the first and the last but one, all together. */
  readonly planes: number;
  /** Of the last axis but one. */
  readonly places: number;
  /** Of the last axis. */
  readonly features: number;
  /** Feature j of place t has the counter `t 2^shift + j`, of which the first 32 bits are the block's first word. */
  readonly shift: number;
  /** How far a plane's upper counter bits are from the next plane's. The second word is `pair + 2^15 upper`. */
  readonly planeStride: number;
}

/** Bits of the second counter word that count pairs of rows, where upper bits stand above them. */
export const pairBits = 15;

/** The layout of a draw. Throws where two elements would share a counter. */
export function drawLayout(shape: readonly number[]): DrawLayout {
  const rank = shape.length;
  const [rows = 1] = shape;
  const features = rank > 1 ? shape[rank - 1]! : 1;
  const places = rank > 2 ? shape[rank - 2]! : 1;
  const planes = shape.slice(1, Math.max(1, rank - 2)).reduce((product, size) => product * size, 1);
  const shift = Math.max(16, Math.ceil(Math.log2(Math.max(features, 1))));
  const planeStride = Math.max(1, Math.ceil(places / 2 ** (32 - shift)));
  const upper = planes * planeStride;
  if (upper > 1 && (rows > 2 ** (pairBits + 1) || upper > 2 ** pairBits)) {
    throw new Error(
      `A draw of shape [${shape.join(', ')}] is too large: with ${rows} rows there may be 65,536 places by 65,536 ` +
        `features, with up to 65,536 rows also 32,768 planes of them; draw it in parts, with a key each.`,
    );
  }
  return { rows, planes, places, features, shift, planeStride };
}
