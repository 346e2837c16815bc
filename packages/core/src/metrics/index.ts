export { averageRanks, pearson, rocArea, spearman } from './correlation.js';
export { entitiesOf } from './entities.js';
export { isMetric, type Metric, type MetricContext } from './metric.js';
export {
  checkMetrics,
  measure,
  METRIC_NAMES,
  type MetricName,
  namedMetric,
  resolveMetrics,
} from './named-metrics.js';
export { type ClassFigures, classReport, type ClassReport } from './report.js';
