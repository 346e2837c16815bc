export * from './across-tasks.js';
export * from './bootstrap.js';
export { deviation, interquartileMean, mean, median, quantile, ranks } from './describe.js';
export {
  noncentralCdf,
  normalCdf,
  normalQuantile,
  studentCdf,
  studentQuantile,
  studentTwoSided,
} from './distributions.js';
export * from './effect.js';
export * from './intervals.js';
export * from './paired-tests.js';
export * from './power.js';
export { type Random, seeded } from './random.js';
export * from './sequential.js';
export * from './stochastic-order.js';
