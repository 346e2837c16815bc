/** Mean; NaN of no values. */
export function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Sample standard deviation, over n - 1; NaN below two values. */
export function deviation(values: readonly number[]): number {
  if (values.length < 2) return NaN;
  const center = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / (values.length - 1));
}

/** What lists of these values differ by at most where it is rounding alone: 0.72 - 0.7 and 0.82 - 0.8 are one difference. */
export function roundingOf(...lists: readonly (readonly number[])[]): number {
  return 1e-12 * lists.flat().reduce((most, value) => Math.max(most, Math.abs(value)), 0);
}

/** Sample standard deviation of `b - a`, pair by pair; 0 where it is rounding. */
export function pairedDeviation(a: readonly number[], b: readonly number[]): number {
  const found = deviation(differences(a, b));
  return found <= roundingOf(a, b) ? 0 : found;
}

/** The quantile at a share of 0 to 1, between two values on a line (numpy's default); NaN of no values. */
export function quantile(values: readonly number[], share: number): number {
  return sortedQuantile(ascending(values), share);
}

/** `quantile` of values that are sorted already. */
export function sortedQuantile(sorted: readonly number[], share: number): number {
  const place = share * (sorted.length - 1);
  const low = Math.floor(place);
  const [below, above] = [sorted[low] ?? NaN, sorted[Math.min(low + 1, sorted.length - 1)] ?? NaN];
  return below + (place - low) * (above - below);
}

export function median(values: readonly number[]): number {
  return quantile(values, 0.5);
}

/** Mean of what is left without the lowest and the highest quarter, each rounded down (Agarwal et al., 2021). */
export function interquartileMean(values: readonly number[]): number {
  const cut = Math.floor(values.length / 4);
  return mean(ascending(values).slice(cut, values.length - cut));
}

/** The rank of each value from 1, the lowest first; equal values, and those that lie apart by no more than `apart`, share the average of their ranks. */
export function ranks(values: readonly number[], apart = 0): number[] {
  const order = values.map((_, place) => place).sort((i, j) => values[i]! - values[j]!);
  const found = new Array<number>(values.length);
  for (let first = 0; first < order.length;) {
    let last = first;
    while (last + 1 < order.length && values[order[last + 1]!]! <= values[order[first]!]! + apart) last += 1;
    for (let place = first; place <= last; place += 1) found[order[place]!] = (first + last) / 2 + 1;
    first = last + 1;
  }
  return found;
}

export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** `b - a`, pair by pair; throws where the lists differ in length. */
export function differences(a: readonly number[], b: readonly number[]): number[] {
  if (a.length !== b.length)
    throw new Error(`statistics: a paired test needs lists of one length, got ${a.length} and ${b.length}.`);
  return b.map((value, pair) => value - a[pair]!);
}
