export { threefry, rounds, rotations, parity, fillWords, type Key } from './random/threefry.js';
export { drawLayout, pairBits, type DrawLayout } from './random/layout.js';
export { seedKey, foldIn } from './random/key.js';
export { type DrawScope, withDraws, currentDraws } from './random/scope.js';
export {
  randomNormal,
  randomUniform,
  randomBernoulli,
  dropout,
  dropoutMask,
  drawOnHost,
} from './random/draw.js';
export {
  bernoulliParameters,
  normalParameters,
  uniformParameters,
  normalDigits,
  type DrawParameters,
} from './random/distributions.js';
export { normalTable } from './random/normal-table.js';
export { linear } from './fused/linear.js';
export { layerNorm } from './fused/layer-norm.js';
export { gelu } from './fused/gelu.js';
export { attention, attentionByScores, splitHeads, type ProbabilityDropout } from './fused/attention.js';
export { withAttentionSeams, type AttentionSeams } from './fused/attention-seams.js';
export { holdBack } from './fused/hold-back.js';
export { sumOfSquares } from './fused/sum-of-squares.js';
export { softmaxCrossEntropy } from './fused/softmax-cross-entropy.js';
export { adamwUpdate, type AdamwOptions, type AdamwResult } from './fused/adamw-update.js';
export {
  composed,
  type KernelName,
  type KeyedDrawAttributes,
  type LayerNormAttributes,
  type AttentionAttributes,
  type AdamwUpdateAttributes,
} from './kernels.js';
