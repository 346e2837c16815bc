import type { Scalar, Tensor } from '@tensorflow/tfjs-core';
import {
  AsyncSeriesHook,
  AsyncSeriesWaterfallHook,
  SyncBailHook,
  SyncHook,
  SyncWaterfallHook,
} from 'tapable';
import type { Batch } from './batch.js';
import type { ParameterInfo } from './parameters.js';
import type { LayerInfo, Pass } from './pass.js';
import type { TrainingPhase } from './phases.js';
import type { Run } from './plugin.js';
import type {
  EpochReport,
  EvaluationReport,
  GradientFunction,
  Gradients,
  LossTerms,
  Step,
  StepReport,
  UpdateFunction,
  Updates,
} from './step.js';

/**
 * The training loop, each hook at its place.
 *
 * ```text
 * for parameter of model:            shouldTrain(parameter, phase)          again at every phase that a plugin asked for
 * weights = afterLoad(weights)                                     once, before the reference copy is taken
 * onFitStart(run)
 * for epoch of epochs:
 *   for step of epoch:
 *     for microbatch of step:
 *       batch = beforeBatch(batch, step)
 *       gradient = aroundBackward(() => {                          nothing has run yet
 *         pass main:                                               tape open
 *           every weight read:       afterWeightRead(weight, parameter, pass)
 *           token vectors:           afterEmbedding(vectors, pass)
 *           every hidden layer:      beforeLayerForward(hidden, layer, pass)
 *             inside its attention:  afterAttentionScores(scores, layer, pass)
 *                                    softmax, product with the values
 *                                    afterAttention(context, layer, pass)
 *                                    afterLayerForward(hidden, layer, pass)
 *         terms = { task }
 *         terms = afterLoss(terms, step)                           may run further passes, each as above
 *         total = beforeBackward(sum of terms, step)
 *         gradients of total                                       tape closed
 *       }, step)
 *       run gradient, average by what the rows weigh
 *     gradients = afterBackward(gradients, step)                   clip, then masks
 *     for parameter:                 rate = afterSchedule(rate, parameter, step)
 *     update = aroundUpdate(AdamW, step)                           nothing has run yet
 *     updates = update(gradients)
 *     updates = beforeUpdate(updates, step)
 *     write the weights                                            here and nowhere else
 *     onUpdate(step)                                               still inside the step
 *     onStep(report)
 *     if shouldStop(report): stop
 *     every evaluateEvery steps: evaluate, onEvaluation(report)
 *     onPause(position)
 *   evaluate with beforeEvaluation(weights, position)            the weights that are measured, kept as best and saved
 *   onEvaluation(report), onEpoch(report)
 * onFitEnd(run)                                                    always, also after an error
 * ```
 *
 * `before*`, `after*`: a tap returns the value, changed or not. `around*`: it returns a function that calls the one given.
 * `should*`: it returns a boolean, or undefined to abstain. `on*`: it watches and returns nothing.
 */
export interface TrainerHooks {
  /** Once, weights in memory: the values by name -> the same names. NoisyTune, re-initialising. */
  readonly afterLoad: AsyncSeriesWaterfallHook<[WeightMap, LoadContext]>;
  /** Once a parameter and phase: false freezes it. Top-K, LP-FT, gradual unfreezing. */
  readonly shouldTrain: SyncBailHook<[ParameterInfo, TrainingPhase], boolean | undefined>;
  /** Once, data at hand. Child-Tuning-D. */
  readonly onFitStart: AsyncSeriesHook<[Run]>;
  /** Each microbatch, off tape. Mixup. */
  readonly beforeBatch: SyncWaterfallHook<[Batch, Step]>;
  /** Each microbatch, off tape: a function that computes its gradient. SAM, FreeLB. */
  readonly aroundBackward: SyncWaterfallHook<[GradientFunction, Step]>;
  /** Each weight, once a pass. Mixout, SAM's offset, R4F. */
  readonly afterWeightRead: SyncWaterfallHook<[Tensor, ParameterInfo, Pass]>;
  /** Each pass: what left the token table, `[rows, length, width]`, else the float input. Of several tables (positions) the one that the first input enters. R3F, NEFTune, FreeLB, SMART. */
  readonly afterEmbedding: SyncWaterfallHook<[Tensor, Pass]>;
  /** Each hidden layer, each pass: what enters it. HyPe. */
  readonly beforeLayerForward: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Each attention of each hidden layer, each pass: `[rows, heads, queries, keys]` before the softmax. DropKey. */
  readonly afterAttentionScores: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Each attention, each pass: what it hands on, `[rows, length, width]`, before the output projection. HyPe. */
  readonly afterAttention: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Each hidden layer, each pass: what leaves it. LNSR, LayerDrop, hidden mixup. */
  readonly afterLayerForward: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Once a gradient computation, on the tape: the named loss terms. R3F, R-Drop, SMART, LNSR, L2-SP. */
  readonly afterLoss: SyncWaterfallHook<[LossTerms, Step]>;
  /** The last operation on the tape: the sum of the terms. Flooding, loss scale. */
  readonly beforeBackward: SyncWaterfallHook<[Scalar, Step]>;
  /** Once a step, off tape: the gradient of all its microbatches. Child-Tuning, clipping. */
  readonly afterBackward: SyncWaterfallHook<[Gradients, Step]>;
  /** Each parameter, each step: its learning rate after the schedule. Layer-wise decay. */
  readonly afterSchedule: SyncWaterfallHook<[number, ParameterInfo, Step]>;
  /** Once a step: the function that makes updates of gradients, AdamW's to begin with. Lion, Adafactor, cautious updates. */
  readonly aroundUpdate: SyncWaterfallHook<[UpdateFunction, Step]>;
  /** Once a step, after the optimizer and before the write: what will be added to the weights. RecAdam. */
  readonly beforeUpdate: SyncWaterfallHook<[Updates, Step]>;
  /** Weights written, still inside the step: own tensors only. EMA. */
  readonly onUpdate: SyncHook<[Step]>;
  /** Weights written: plain numbers. Logs. */
  readonly onStep: SyncHook<[StepReport]>;
  /** After `onStep`: true ends the run cleanly. Early stop. */
  readonly shouldStop: SyncBailHook<[StepReport], boolean | undefined>;
  /** Before an evaluation and at the end: the weights to measure, keep and save, from those being trained. LoRA, EMA, SWA, WiSE-FT. */
  readonly beforeEvaluation: SyncWaterfallHook<[WeightMap, Position]>;
  /** The validation data were measured. Logs. */
  readonly onEvaluation: AsyncSeriesHook<[EvaluationReport]>;
  /** Between two steps, nothing being computed. Checkpoints. */
  readonly onPause: AsyncSeriesHook<[Position]>;
  /** The end of an epoch, evaluation done. Checkpoints. */
  readonly onEpoch: AsyncSeriesHook<[EpochReport]>;
  /** Always, also after an error. */
  readonly onFitEnd: AsyncSeriesHook<[Run]>;
}

/** Values of the parameters by name. */
export type WeightMap = ReadonlyMap<string, Tensor>;

/** How far a run has come. */
export interface Position {
  /** Updates made. */
  readonly step: number;
  /** Updates that the run will make. */
  readonly total: number;
}

/** What `afterLoad` taps may use beside the weights. */
export type LoadContext = Pick<Run, 'seed' | 'key'>;

/** The hooks of one trainer. */
export function createHooks(): TrainerHooks {
  return Object.freeze({
    afterLoad: new AsyncSeriesWaterfallHook<[WeightMap, LoadContext]>(['weights', 'context'], 'afterLoad'),
    shouldTrain: new SyncBailHook<[ParameterInfo, TrainingPhase], boolean | undefined>(
      ['parameter', 'phase'],
      'shouldTrain',
    ),
    onFitStart: new AsyncSeriesHook<[Run]>(['run'], 'onFitStart'),
    beforeBatch: new SyncWaterfallHook<[Batch, Step]>(['batch', 'step'], 'beforeBatch'),
    aroundBackward: new SyncWaterfallHook<[GradientFunction, Step]>(['gradient', 'step'], 'aroundBackward'),
    afterWeightRead: new SyncWaterfallHook<[Tensor, ParameterInfo, Pass]>(
      ['weight', 'parameter', 'pass'],
      'afterWeightRead',
    ),
    afterEmbedding: new SyncWaterfallHook<[Tensor, Pass]>(['vectors', 'pass'], 'afterEmbedding'),
    beforeLayerForward: new SyncWaterfallHook<[Tensor, LayerInfo, Pass]>(
      ['hidden', 'layer', 'pass'],
      'beforeLayerForward',
    ),
    afterAttentionScores: new SyncWaterfallHook<[Tensor, LayerInfo, Pass]>(
      ['scores', 'layer', 'pass'],
      'afterAttentionScores',
    ),
    afterAttention: new SyncWaterfallHook<[Tensor, LayerInfo, Pass]>(
      ['context', 'layer', 'pass'],
      'afterAttention',
    ),
    afterLayerForward: new SyncWaterfallHook<[Tensor, LayerInfo, Pass]>(
      ['hidden', 'layer', 'pass'],
      'afterLayerForward',
    ),
    afterLoss: new SyncWaterfallHook<[LossTerms, Step]>(['terms', 'step'], 'afterLoss'),
    beforeBackward: new SyncWaterfallHook<[Scalar, Step]>(['total', 'step'], 'beforeBackward'),
    afterBackward: new SyncWaterfallHook<[Gradients, Step]>(['gradients', 'step'], 'afterBackward'),
    afterSchedule: new SyncWaterfallHook<[number, ParameterInfo, Step]>(
      ['rate', 'parameter', 'step'],
      'afterSchedule',
    ),
    aroundUpdate: new SyncWaterfallHook<[UpdateFunction, Step]>(['update', 'step'], 'aroundUpdate'),
    beforeUpdate: new SyncWaterfallHook<[Updates, Step]>(['updates', 'step'], 'beforeUpdate'),
    onUpdate: new SyncHook<[Step]>(['step'], 'onUpdate'),
    onStep: new SyncHook<[StepReport]>(['report'], 'onStep'),
    shouldStop: new SyncBailHook<[StepReport], boolean | undefined>(['report'], 'shouldStop'),
    beforeEvaluation: new SyncWaterfallHook<[WeightMap, Position]>(
      ['weights', 'position'],
      'beforeEvaluation',
    ),
    onEvaluation: new AsyncSeriesHook<[EvaluationReport]>(['report'], 'onEvaluation'),
    onPause: new AsyncSeriesHook<[Position]>(['position'], 'onPause'),
    onEpoch: new AsyncSeriesHook<[EpochReport]>(['report'], 'onEpoch'),
    onFitEnd: new AsyncSeriesHook<[Run]>(['run'], 'onFitEnd'),
  });
}
