export { multiLabel, type MultiLabelOptions } from './multi-label.js';
export { resolveTask, TASK_NAMES, type TaskName } from './named-tasks.js';
export { regression, type RegressionOptions } from './regression.js';
export { balancedWeights, singleLabel, type SingleLabelOptions } from './single-label.js';
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
export { tokenClassification, type TokenClassificationOptions } from './token-classification.js';
