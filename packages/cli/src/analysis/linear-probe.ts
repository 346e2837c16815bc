/** Rows of features, one after the other. */
export interface Features {
  readonly rows: number;
  readonly width: number;
  readonly values: Float64Array;
}

/** A linear classifier on standardised features. */
export interface Probe {
  /** Class scores of each row, `[rows, classes]`. */
  scores(features: Features): Float64Array;
}

/** Updates that L-BFGS remembers, and how many it makes at most. */
const [MEMORY, UPDATES] = [10, 1000];
/** Largest entry of the gradient of the sum over rows at which a probe is fitted. */
const TOLERANCE = 1e-6;

/**
 * Multinomial logistic regression, fitted to the end: minimises `sum of cross-entropies + |W|^2 / 2`, biases free, on features
 * with mean 0 and deviation 1 over the rows (scikit-learn's `LogisticRegression` after a `StandardScaler`). Of two classes W is what
 * tells one from the other, a single row, as there. The minimum is the only one, so nothing is random.
 */
export function fitProbe(features: Features, labels: readonly number[], classes: number): Probe {
  const standard = standardiser(features);
  const { rows, width, values } = standard(features);
  const size = classes * (width + 1); // of each class its weights, then its bias
  // The rows w and -w of two classes differ by 2 w: |2 w|^2 is twice what both have.
  const penalty = classes === 2 ? 2 : 1;
  const objective = (weights: Float64Array): { loss: number; gradient: Float64Array } => {
    const scores = scoresOf({ rows, width, values }, weights, classes);
    const gradient = new Float64Array(size);
    let loss = 0;
    for (let row = 0; row < rows; row += 1) {
      const own = scores.subarray(row * classes, (row + 1) * classes);
      const highest = Math.max(...own);
      const total = own.reduce((sum, score) => sum + Math.exp(score - highest), 0);
      loss += Math.log(total) + highest - own[labels[row]!]!;
      for (let label = 0; label < classes; label += 1) {
        const error = Math.exp(own[label]! - highest) / total - (label === labels[row] ? 1 : 0);
        const begin = label * (width + 1);
        for (let place = 0; place < width; place += 1)
          gradient[begin + place]! += error * values[row * width + place]!;
        gradient[begin + width]! += error;
      }
    }
    for (let place = 0; place < size; place += 1) {
      if (place % (width + 1) === width) continue;
      loss += (penalty * weights[place]! ** 2) / 2;
      gradient[place]! += penalty * weights[place]!;
    }
    return { loss, gradient };
  };
  const weights = minimum(objective, size);
  return { scores: (others) => scoresOf(standard(others), weights, classes) };
}

function scoresOf({ rows, width, values }: Features, weights: Float64Array, classes: number): Float64Array {
  const scores = new Float64Array(rows * classes);
  for (let row = 0; row < rows; row += 1)
    for (let label = 0; label < classes; label += 1) {
      const begin = label * (width + 1);
      let sum = weights[begin + width]!;
      for (let place = 0; place < width; place += 1)
        sum += weights[begin + place]! * values[row * width + place]!;
      scores[row * classes + label] = sum;
    }
  return scores;
}

/** Gives features mean 0 and deviation 1 as these have them; one that never changes stays 0. */
function standardiser({ rows, width, values }: Features): (features: Features) => Features {
  const [means, deviations] = [new Float64Array(width), new Float64Array(width)];
  for (const [place, value] of values.entries()) means[place % width]! += value / rows;
  for (const [place, value] of values.entries())
    deviations[place % width]! += (value - means[place % width]!) ** 2 / rows;
  const scales = deviations.map((variance) => (variance > 0 ? 1 / Math.sqrt(variance) : 0));
  return (features) => ({
    ...features,
    values: features.values.map((value, place) => (value - means[place % width]!) * scales[place % width]!),
  });
}

const dot = (a: Float64Array, b: Float64Array): number =>
  a.reduce((sum, value, place) => sum + value * b[place]!, 0);
/** `a + factor * b` */
const plus = (a: Float64Array, factor: number, b: Float64Array): Float64Array =>
  a.map((value, place) => value + factor * b[place]!);

/** Where a smooth convex function is least, by L-BFGS (Liu and Nocedal, 1989) with backtracking, from 0. */
function minimum(
  objective: (x: Float64Array) => { loss: number; gradient: Float64Array },
  size: number,
): Float64Array {
  let x: Float64Array = new Float64Array(size);
  let { loss, gradient } = objective(x);
  const steps: { readonly x: Float64Array; readonly gradient: Float64Array; readonly product: number }[] = [];
  for (let update = 0; update < UPDATES; update += 1) {
    if (gradient.every((value) => Math.abs(value) < TOLERANCE)) break;
    let direction: Float64Array = gradient.map((value) => -value);
    const shares: number[] = [];
    for (const step of [...steps].reverse()) {
      const share = dot(step.x, direction) / step.product;
      shares.unshift(share);
      direction = plus(direction, -share, step.gradient);
    }
    const last = steps.at(-1);
    const scale = last
      ? last.product / dot(last.gradient, last.gradient)
      : 1 / Math.sqrt(dot(gradient, gradient));
    direction = direction.map((value) => value * scale);
    for (const [place, step] of steps.entries())
      direction = plus(direction, shares[place]! - dot(step.gradient, direction) / step.product, step.x);
    const slope = dot(gradient, direction);
    let length = 1;
    let next = objective(plus(x, length, direction));
    while (next.loss > loss + 1e-4 * length * slope && length > 1e-12) {
      length /= 2;
      next = objective(plus(x, length, direction));
    }
    const moved = direction.map((value) => value * length);
    const turned = plus(next.gradient, -1, gradient);
    const product = dot(moved, turned);
    if (product > 0) steps.push({ x: moved, gradient: turned, product });
    if (steps.length > MEMORY) steps.shift();
    x = plus(x, 1, moved);
    ({ loss, gradient } = next);
  }
  return x;
}
