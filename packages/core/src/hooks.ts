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
import type { Run } from './plugin.js';
import type {
  EpochReport,
  GradientFunction,
  Gradients,
  LossTerms,
  Step,
  StepReport,
  Updates,
} from './step.js';

/**
 * The training loop, each hook at its place.
 *
 * ```text
 * for parameter of model:            shouldTrain(parameter)
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
 *                                    the layer
 *                                    afterLayerForward(hidden, layer, pass)
 *         terms = { task }
 *         terms = afterLoss(terms, step)                           may run further passes, each as above
 *         total = beforeBackward(sum of terms, step)
 *         gradients of total                                       tape closed
 *       }, step)
 *       run gradient, add up
 *     gradients = afterBackward(gradients, step)                   clip, then masks
 *     for parameter:                 rate = afterSchedule(rate, parameter, step)
 *     updates = AdamW(gradients)
 *     updates = beforeUpdate(updates, step)
 *     write the weights                                            here and nowhere else
 *     onStep(report)
 *     if shouldStop(report): stop
 *   onEpoch(report)
 * onFitEnd(run)                                                    always, also after an error
 * ```
 *
 * `before*`, `after*`: a tap returns the value, changed or not. `around*`: it returns a function that calls the one given.
 * `should*`: it returns a boolean, or undefined to abstain. `on*`: it watches and returns nothing.
 */
export interface TrainerHooks {
  /** Once, weights in memory: the values by name -> the same names. NoisyTune, re-initialising. */
  readonly afterLoad: AsyncSeriesWaterfallHook<[WeightMap, LoadContext]>;
  /** Once a parameter: false freezes it. Top-K, freezing. */
  readonly shouldTrain: SyncBailHook<[ParameterInfo], boolean | undefined>;
  /** Once, data at hand. Child-Tuning-D. */
  readonly onFitStart: AsyncSeriesHook<[Run]>;
  /** Each microbatch, off tape. Mixup. */
  readonly beforeBatch: SyncWaterfallHook<[Batch, Step]>;
  /** Each microbatch, off tape: a function that computes its gradient. SAM, FreeLB. */
  readonly aroundBackward: SyncWaterfallHook<[GradientFunction, Step]>;
  /** Each weight, once a pass. Mixout, SAM's offset, R4F. */
  readonly afterWeightRead: SyncWaterfallHook<[Tensor, ParameterInfo, Pass]>;
  /** Each pass: what left the token table, `[rows, length, width]`, else the float input. R3F, NEFTune, FreeLB, SMART. */
  readonly afterEmbedding: SyncWaterfallHook<[Tensor, Pass]>;
  /** Each hidden layer, each pass: what enters it. HyPe. */
  readonly beforeLayerForward: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Each hidden layer, each pass: what leaves it. LNSR, LayerDrop, hidden mixup. */
  readonly afterLayerForward: SyncWaterfallHook<[Tensor, LayerInfo, Pass]>;
  /** Once a gradient computation, on the tape: the named loss terms. R3F, R-Drop, SMART, LNSR, L2-SP. */
  readonly afterLoss: SyncWaterfallHook<[LossTerms, Step]>;
  /** The last operation on the tape: the sum of the terms. Flooding, loss scale. */
  readonly beforeBackward: SyncWaterfallHook<[Scalar, Step]>;
  /** Once a step, off tape: the summed gradients. Child-Tuning, clipping. */
  readonly afterBackward: SyncWaterfallHook<[Gradients, Step]>;
  /** Each parameter, each step: its learning rate after the schedule. Layer-wise decay. */
  readonly afterSchedule: SyncWaterfallHook<[number, ParameterInfo, Step]>;
  /** Once a step, after AdamW and before the write: what will be added to the weights. RecAdam. */
  readonly beforeUpdate: SyncWaterfallHook<[Updates, Step]>;
  /** Weights written: plain numbers. Logs. */
  readonly onStep: SyncHook<[StepReport]>;
  /** After `onStep`: true ends the run cleanly. Early stop. */
  readonly shouldStop: SyncBailHook<[StepReport], boolean | undefined>;
  /** The end of an epoch, evaluation done. Checkpoints. */
  readonly onEpoch: AsyncSeriesHook<[EpochReport]>;
  /** Always, also after an error. */
  readonly onFitEnd: AsyncSeriesHook<[Run]>;
}

/** Values of the parameters by name. */
export type WeightMap = ReadonlyMap<string, Tensor>;

/** What `afterLoad` taps may use beside the weights. */
export type LoadContext = Pick<Run, 'seed' | 'key'>;

/** The hooks of one trainer. */
export function createHooks(): TrainerHooks {
  return Object.freeze({
    afterLoad: new AsyncSeriesWaterfallHook<[WeightMap, LoadContext]>(['weights', 'context'], 'afterLoad'),
    shouldTrain: new SyncBailHook<[ParameterInfo], boolean | undefined>(['parameter'], 'shouldTrain'),
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
    beforeUpdate: new SyncWaterfallHook<[Updates, Step]>(['updates', 'step'], 'beforeUpdate'),
    onStep: new SyncHook<[StepReport]>(['report'], 'onStep'),
    shouldStop: new SyncBailHook<[StepReport], boolean | undefined>(['report'], 'shouldStop'),
    onEpoch: new AsyncSeriesHook<[EpochReport]>(['report'], 'onEpoch'),
    onFitEnd: new AsyncSeriesHook<[Run]>(['run'], 'onFitEnd'),
  });
}
