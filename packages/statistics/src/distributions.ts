const LANCZOS = [
  0.99999999999999709182, 57.156235665862923517, -59.597960355475491248, 14.136097974741747174,
  -0.49191381609762019978, 0.33994649984811888699e-4, 0.46523628927048575665e-4, -0.98374475304879564677e-4,
  0.15808870322491248884e-3, -0.21026444172410488319e-3, 0.2174396181152126432e-3, -0.16431810653676389022e-3,
  0.84418223983852743293e-4, -0.2619083840158140867e-4, 0.36899182659531622704e-5,
];

/** Logarithm of the gamma function at x > 0 (Lanczos' sum, g = 607/128). */
export function logGamma(x: number): number {
  const base = x + 607 / 128 - 0.5;
  const sum = LANCZOS.reduce((total, weight, k) => total + (k === 0 ? weight : weight / (x - 1 + k)), 0);
  return (x - 0.5) * Math.log(base) - base + Math.log(Math.sqrt(2 * Math.PI) * sum);
}

/** Regularized incomplete beta function I_x(a, b), by its continued fraction (Lentz' method). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(
    logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x) - Math.log(a),
  );
  const tiny = 1e-300;
  const away = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let fraction = d;
  for (let m = 1; m < 10_000; m += 1) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    d = 1 / away(1 + even * d);
    c = away(1 + even / c);
    fraction *= d * c;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    d = 1 / away(1 + odd * d);
    c = away(1 + odd / c);
    fraction *= d * c;
    if (Math.abs(d * c - 1) < 1e-16) break;
  }
  return front * fraction;
}

/** Probability that a standard normal value is at most x. */
export function normalCdf(x: number): number {
  const size = Math.abs(x);
  const density = Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  if (size < 3) {
    let term = size;
    let sum = size;
    for (let k = 3; term > sum * 1e-17; k += 2) {
      term *= (size * size) / k;
      sum += term;
    }
    return 0.5 + Math.sign(x) * density * sum;
  }
  let fraction = size;
  for (let k = 120; k >= 1; k -= 1) fraction = size + k / fraction;
  const tail = density / fraction;
  return x > 0 ? 1 - tail : tail;
}

/** The value that a standard normal one is below with this probability. */
export function normalQuantile(probability: number): number {
  return inverse(normalCdf, probability);
}

/** Probability that Student's t is at most t. */
export function studentCdf(t: number, degrees: number): number {
  const tail = studentTwoSided(t, degrees) / 2;
  return t > 0 ? 1 - tail : tail;
}

/** Probability that Student's t lies further from 0 than t. */
export function studentTwoSided(t: number, degrees: number): number {
  return incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
}

/** The value that Student's t is below with this probability. */
export function studentQuantile(probability: number, degrees: number): number {
  return inverse((t) => studentCdf(t, degrees), probability);
}

/** Probability that the noncentral t is at most t (Lenth, 1989, algorithm AS 243); `shift` up to 37. */
export function noncentralCdf(t: number, degrees: number, shift: number): number {
  if (t < 0) return 1 - noncentralCdf(-t, degrees, -shift);
  const x = (t * t) / (degrees + t * t);
  const half = (shift * shift) / 2;
  let even = Math.exp(-half);
  let odd = (shift / Math.sqrt(2)) * Math.exp(-half - logGamma(1.5));
  let sum = 0;
  for (let j = 0; j < 5000; j += 1) {
    const term = even * incompleteBeta(x, j + 0.5, degrees / 2) + odd * incompleteBeta(x, j + 1, degrees / 2);
    sum += term;
    if (j > half && Math.abs(term) < 1e-17) break;
    even *= half / (j + 1);
    odd *= half / (j + 1.5);
  }
  return Math.min(1, Math.max(0, normalCdf(-shift) + sum / 2));
}

/** Where an increasing function, 0.5 at 0 and odd around it, takes this value: halving to the last bit. */
function inverse(cdf: (x: number) => number, probability: number): number {
  if (!(probability > 0 && probability < 1))
    return probability === 0 ? -Infinity : probability === 1 ? Infinity : NaN;
  // The upper tail of a cdf has few digits: it is found from the lower one.
  if (probability > 0.5) return -inverse(cdf, 1 - probability);
  let low = -1;
  while (cdf(low) > probability) low *= 2;
  let high = low === -1 ? 0 : low / 2;
  for (;;) {
    const middle = (low + high) / 2;
    if (middle <= low || middle >= high) return middle;
    if (cdf(middle) < probability) low = middle;
    else high = middle;
  }
}
