/** The place of the largest of `size` numbers from `start`, the first of equal ones. */
export function argMax(values: ArrayLike<number>, start = 0, size: number = values.length): number {
  let best = 0;
  for (let k = 1; k < size; k += 1) if (values[start + k]! > values[start + best]!) best = k;
  return best;
}

/** The softmax of each `size` numbers in turn. */
export function softmax(logits: Float32Array, size: number = logits.length): Float32Array {
  const result = new Float32Array(logits.length);
  for (let start = 0; start < logits.length; start += size) {
    const largest = logits[start + argMax(logits, start, size)]!;
    let sum = 0;
    for (let k = start; k < start + size; k += 1) sum += Math.exp(logits[k]! - largest);
    for (let k = start; k < start + size; k += 1) result[k] = Math.exp(logits[k]! - largest) / sum;
  }
  return result;
}

/** `1 / (1 + exp(-z))` of each number. */
export function sigmoid(logits: Float32Array): Float32Array {
  return logits.map((z) => 1 / (1 + Math.exp(-z)));
}
