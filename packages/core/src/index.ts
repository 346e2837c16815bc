export { averageWeights, movedAverage } from './averaged-weights.js';
export * from './batch.js';
export { mapTensors, mapWeights } from './by-name.js';
export type { Snapshot, SnapshotMeta, StoredTensor } from './checkpoint/snapshot.js';
export { shuffled } from './data/order.js';
export { chooseLengths, type BatchOptions } from './data/padding.js';
export { tensorData } from './data/tensor-data.js';
export * from './errors.js';
export type { Evaluation } from './evaluation.js';
export * from './hooks.js';
export { keepForGradient } from './keeping.js';
export { outputOf } from './model-output.js';
export * from './math/divergence.js';
export * from './math/norm.js';
export { detach, gradientAt, offTape } from './math/tape.js';
export * from './method.js';
export * from './metrics/index.js';
export { scheduleFactor } from './optim/schedule.js';
export type { DropoutRates, OptimizerOptions, ScheduleOptions, TrainerOptions } from './options.js';
export { dropoutSettings, optimizerSettings, scheduleSettings, trainerSettings } from './options.js';
export type { OwnParameter, OwnParameterOptions } from './own-parameter.js';
export { type ParameterState, parameterState, replaceOptimizer } from './parameter-state.js';
export type { ParameterInfo, ParameterRole } from './parameters.js';
export { listParameters } from './parameters.js';
export * from './pass.js';
export type { PhaseBoundaries, TrainingPhase } from './phases.js';
export * from './plugin.js';
export {
  complete,
  defaultText,
  describeSettings,
  issueText,
  jsonSchema,
  pathText,
  type Complete,
  type Declarations,
  type Given,
  type SettingInfo,
} from './schema.js';
export { z } from 'zod';
export { unknownName } from './similar.js';
export type { CompileOption, Precision, PrecisionOption, RecordingReport, StepRecorder } from './recorder.js';
export type { FitOptions, FitReport } from './session.js';
export { inputNames, type Site, type SiteDeclaration } from './sites.js';
export * from './stages.js';
export { copyOf } from './stores.js';
export * from './step.js';
export * from './tasks/index.js';
export { maskPlace, tokenMask } from './token-mask.js';
export type { Trace, TraceEntry } from './trace.js';
export { Trainer } from './trainer.js';
