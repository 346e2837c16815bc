/** Share of the rows whose class was predicted. */
export function accuracy(predictions: readonly number[], labels: readonly number[]): number {
  return labels.filter((label, row) => predictions[row] === label).length / labels.length;
}

/** `2 TP / (2 TP + FP + FN)` of class 1; 0 where class 1 is neither present nor predicted. */
export function f1(predictions: readonly number[], labels: readonly number[]): number {
  const right = labels.filter((label, row) => label === 1 && predictions[row] === 1).length;
  const ones = count(labels, 1) + count(predictions, 1);
  return ones > 0 ? (2 * right) / ones : 0;
}

/**
 * Matthews' correlation, for any number of classes (Gorodkin, 2004): with c right out of s rows, t_k rows of class k and
 * p_k predictions of it, `(c s - sum t_k p_k) / sqrt((s^2 - sum p_k^2) (s^2 - sum t_k^2))`.
 * 0 where labels or predictions are all one class.
 */
export function matthews(predictions: readonly number[], labels: readonly number[]): number {
  const rows = labels.length;
  const right = labels.filter((label, row) => predictions[row] === label).length;
  let both = 0;
  let predicted = 0;
  let present = 0;
  for (const k of new Set([...labels, ...predictions])) {
    const p = count(predictions, k);
    const t = count(labels, k);
    both += t * p;
    predicted += p * p;
    present += t * t;
  }
  const scale = Math.sqrt((rows * rows - predicted) * (rows * rows - present));
  return scale > 0 ? (right * rows - both) / scale : 0;
}

function count(classes: readonly number[], k: number): number {
  return classes.filter((c) => c === k).length;
}
