import { noncentralCdf, studentQuantile } from './distributions.js';

/** Nobody does more. */
const MOST_PAIRS = 10_000;

/** Probability that a two-sided paired t test at `alpha` (default 0.05) finds an effect of this size (Cohen's d) with so many pairs. */
export function power(effect: number, pairs: number, alpha = 0.05): number {
  if (pairs < 2) return 0;
  const shift = Math.abs(effect) * Math.sqrt(pairs);
  // Farther than any critical value that matters.
  if (shift > 37) return 1;
  const critical = studentQuantile(1 - alpha / 2, pairs - 1);
  return 1 - noncentralCdf(critical, pairs - 1, shift) + noncentralCdf(-critical, pairs - 1, shift);
}

/** The fewest pairs with which an effect of this size is found with a probability (default 0.8); undefined above 10,000. */
export function pairsNeeded(effect: number, { alpha = 0.05, wanted = 0.8 } = {}): number | undefined {
  let [low, high] = [2, 4];
  while (power(effect, high, alpha) < wanted) {
    if (high === MOST_PAIRS) return undefined;
    [low, high] = [high, Math.min(2 * high, MOST_PAIRS)];
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (power(effect, middle, alpha) < wanted) low = middle;
    else high = middle;
  }
  return power(effect, low, alpha) >= wanted ? low : high;
}
