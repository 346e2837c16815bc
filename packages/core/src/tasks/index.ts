export { multiLabel, type MultiLabelOptions, multiLabelSettings } from './multi-label.js';
export { resolveTask, TASK_NAMES, type TaskName } from './named-tasks.js';
export { regression, type RegressionOptions, regressionSettings } from './regression.js';
export {
  balancedWeights,
  singleLabel,
  type SingleLabelOptions,
  singleLabelSettings,
} from './single-label.js';
export {
  type CollatedLabels,
  type DistributionDistance,
  divergenceOf,
  IGNORED,
  type Label,
  type LabelBatch,
  type LabelKind,
  labelName,
  type LossFunction,
  type ModelOutput,
  type Prediction,
  type Statement,
  type Task,
} from './task.js';
export {
  tokenClassification,
  type TokenClassificationOptions,
  tokenClassificationSettings,
} from './token-classification.js';
