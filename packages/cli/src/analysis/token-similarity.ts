/**
 * The mean cosine similarity of the tokens of a sentence, over all pairs of different ones (Shi et al., 2022): with unit vectors u,
 * `(|sum of u|^2 - n) / (n (n - 1))`. NaN for fewer than two tokens. `vectors` holds those of every position.
 */
export function tokenSimilarity(vectors: Float32Array, width: number, tokens: readonly number[]): number {
  const sum = new Float64Array(width);
  for (const token of tokens) {
    const vector = vectors.subarray(token * width, (token + 1) * width);
    const norm = Math.sqrt(vector.reduce((square, value) => square + value * value, 0));
    for (const [place, value] of vector.entries()) sum[place]! += value / norm;
  }
  const square = sum.reduce((total, value) => total + value * value, 0);
  return (square - tokens.length) / (tokens.length * (tokens.length - 1));
}
