/** Pearson's correlation of two equally long lists; 0 where one of them is constant (no correlation is defined there), NaN where a number is none. */
export function pearson(a: readonly number[], b: readonly number[]): number {
  const meanA = mean(a);
  const meanB = mean(b);
  let together = 0;
  let spreadA = 0;
  let spreadB = 0;
  for (const [row, value] of a.entries()) {
    const fromA = value - meanA;
    const fromB = b[row]! - meanB;
    together += fromA * fromB;
    spreadA += fromA * fromA;
    spreadB += fromB * fromB;
  }
  const scale = Math.sqrt(spreadA * spreadB);
  return scale === 0 ? 0 : together / scale;
}

/** Spearman's rank correlation: Pearson's of the ranks, equal values sharing their average rank; NaN where a number is none. */
export function spearman(a: readonly number[], b: readonly number[]): number {
  if ([...a, ...b].some(Number.isNaN)) return NaN;
  return pearson(averageRanks(a), averageRanks(b));
}

/** The rank of each value from 1; equal values get the average of the ranks they fill. */
export function averageRanks(values: readonly number[]): number[] {
  const order = values.map((_, row) => row).sort((i, j) => values[i]! - values[j]!);
  const ranks = new Array<number>(values.length);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!] === values[order[first]!]) last += 1;
    for (let place = first; place <= last; place += 1) ranks[order[place]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return ranks;
}

/**
 * Area under the curve of true over false positives, which is the share of pairs of a positive and a negative row that the scores
 * put in order (Mann and Whitney); 0.5 where all rows are of one class.
 */
export function rocArea(scores: readonly number[], positive: readonly boolean[]): number {
  const positives = positive.filter(Boolean).length;
  const pairs = positives * (positive.length - positives);
  if (pairs === 0) return 0.5;
  const ranks = averageRanks(scores);
  const sum = ranks.reduce((total, rank, row) => total + (positive[row] ? rank : 0), 0);
  return (sum - (positives * (positives + 1)) / 2) / pairs;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
