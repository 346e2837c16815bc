/**
 * The mean cosine similarity of the tokens of a sentence, over all pairs of different ones (Shi et al., 2022): with unit vectors u,
 * `(|sum of u|^2 - n) / (n (n - 1))`. NaN for fewer than two tokens. `vectors` holds those of every position.
 */
export function tokenSimilarity(vectors: Float32Array, width: number, tokens: readonly number[]): number {
  const sum = new Float64Array(width);
  // Every value of every layer of every row passes here: by iterators it took seven times as long.
  for (const token of tokens) {
    const from = token * width;
    let squares = 0;
    for (let i = 0; i < width; i++) squares += vectors[from + i]! ** 2;
    const norm = Math.sqrt(squares);
    for (let i = 0; i < width; i++) sum[i]! += vectors[from + i]! / norm;
  }
  const square = sum.reduce((total, value) => total + value * value, 0);
  return (square - tokens.length) / (tokens.length * (tokens.length - 1));
}
