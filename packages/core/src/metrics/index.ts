export { accuracy, f1, matthews } from './classification.js';
export { averageRanks, pearson, spearman } from './correlation.js';
export {
  checkMetrics,
  defaultMetrics,
  METRIC_NAMES,
  type MetricName,
  metricsFor,
  predictions,
} from './metric.js';
