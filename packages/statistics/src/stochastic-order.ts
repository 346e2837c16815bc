import { ascending, mean } from './describe.js';
import { normalQuantile } from './distributions.js';
import { type Random, seeded } from './random.js';

const STEP = 0.005;

/**
 * Share of the squared Wasserstein distance in which b lies above a, between 0 (a is always better) and 1; 0.5 for equal
 * lists. By the sums of deep-significance 1.2, whose violations leave the first of 199 quantiles out.
 */
export function violationRatio(a: readonly number[], b: readonly number[]): number {
  const [left, right] = [ascending(a), ascending(b)];
  let all = 0;
  let violated = 0;
  for (let place = 0; place < 1 / STEP - 1; place += 1) {
    const share = STEP + place * STEP;
    const difference = atShare(right, share) - atShare(left, share);
    all += difference ** 2 * STEP;
    if (difference > 0 && place > 0) violated += difference ** 2 * STEP;
  }
  return all === 0 ? 0.5 : violated / all;
}

/**
 * Almost stochastic order (Dror et al., 2019): upper bound of the violation ratio of "a is better than b", to a confidence
 * (default 0.95) over 1000 resamplings. Below 0.5 a is almost stochastically dominant; below 0.2 is what its authors advise.
 */
export function almostStochasticOrder(
  a: readonly number[],
  b: readonly number[],
  options: { readonly confidence?: number; readonly draws?: number; readonly random?: Random } = {},
): number {
  const { confidence = 0.95, draws = 1000, random = seeded(0) } = options;
  const [left, right] = [ascending(a), ascending(b)];
  const resampled = (sorted: readonly number[]): number[] => sorted.map(() => atShare(sorted, random()));
  const ratio = violationRatio(a, b);
  const scale = Math.sqrt((a.length * b.length) / (a.length + b.length));
  const samples = Array.from(
    { length: draws },
    () => scale * (violationRatio(resampled(left), resampled(right)) - ratio),
  );
  const center = mean(samples);
  const spread = Math.sqrt(mean(samples.map((value) => (value - center) ** 2)));
  return Math.min(1, Math.max(0, ratio - (spread / scale) * normalQuantile(1 - confidence)));
}

/** The empirical quantile: the value that a share of the sorted values reaches. */
function atShare(sorted: readonly number[], share: number): number {
  const place = Math.ceil(sorted.length * share) - 1;
  return sorted[Math.min(Math.max(place, 0), sorted.length - 1)]!;
}
