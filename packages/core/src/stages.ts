/** Where a tap stands among the taps of its hook: lower runs first, equal stages run in registration order. */
export const LOAD_STAGE = {
  /** Change what is pre-trained (NoisyTune). */
  PRETRAINED: -100,
  /** Draw values anew (re-initialising). */
  FRESH: 0,
} as const;

export const WEIGHT_STAGE = {
  /** Move the weight before anything reads it (SAM's offset). */
  OFFSET: -100,
  /** Exchange entries of the weight for others (Mixout); one plugin at most. */
  REPLACE: 0,
  /** Bound what the earlier taps made (R4F's spectral norm). */
  CONSTRAIN: 100,
} as const;

export const HIDDEN_STAGE = {
  /** Put what entered a layer in the place of what leaves it (LayerDrop): inside of whatever changes the state between layers. */
  SKIP: -150,
  /** Change the state between layers, which a skipped layer hands on (mixup, cut-off, LNSR's noise). */
  TRANSFORM: -100,
  /** Look at what a skipped layer hands on (LayerDrop). */
  ENTER: -50,
  /** Add noise to it (HyPe, R3F, NEFTune). */
  NOISE: 0,
  /** Watch what the layer really sees (LNSR, probes). */
  RECORD: 100,
} as const;

export const LOSS_STAGE = {
  /** Rewrite `task` (R-Drop's average over two passes); one plugin at most. */
  REPLACE: -100,
  /** Add a term that compares passes (R3F, SMART, LNSR). */
  CONSISTENCY: 0,
  /** Add a term of the weights (L2-SP). */
  PENALTY: 100,
} as const;

export const GRADIENT_STAGE = {
  /** Take a loss scale back out. */
  UNSCALE: -200,
  /** Bound the global norm (core's own clipping). */
  CLIP: -100,
  /** Zero what must not move (Child-Tuning). */
  MASK: 0,
  /** Watch the gradient that reaches the optimizer. */
  RECORD: 100,
} as const;

export const BACKWARD_STAGE = {
  /** Several computations for one gradient (FreeLB). */
  MULTISTEP: -100,
  /** A gradient taken at shifted weights (SAM), outside everything else. */
  SHARPNESS: 100,
} as const;

export const RATE_STAGE = {
  /** Another rate in the place of the schedule's (SWA's). */
  REPLACE: -100,
  /** Scale the rate of some parameters (layer-wise decay). */
  SCALE: 0,
} as const;

export const OPTIMIZER_STAGE = {
  /** Another optimizer instead of AdamW (Lion, Adafactor); one plugin at most. */
  REPLACE: -100,
  /** Change what the optimizer makes of the gradients (cautious updates). */
  WRAP: 0,
  /** Judge the whole step from where the weights began (SPD), outside everything else. */
  PROJECT: 100,
} as const;

export const EVALUATION_STAGE = {
  /** Other values of what is trained (EMA, SWA). */
  AVERAGE: -100,
  /** Put a plugin's own parameters into the model's (LoRA). */
  MERGE: 0,
  /** Move the model's weights somewhere (WiSE-FT). */
  INTERPOLATE: 100,
} as const;

export const ATTENTION_STAGE = {
  /** Hide keys (DropKey). */
  MASK: -100,
  /** Add noise (HyPe). */
  NOISE: 0,
  /** Watch what really enters the softmax or leaves attention. */
  RECORD: 100,
} as const;

export const UPDATE_STAGE = {
  /** Scale the optimizer's update. */
  SCALE: -100,
  /** Pull the weights somewhere (RecAdam, decoupled L2-SP). */
  PULL: 0,
  /** Bound what the weights become (R4F's spectral norm). */
  CONSTRAIN: 100,
} as const;

/** The named stages of each hook that has some. */
export const HOOK_STAGES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  afterLoad: LOAD_STAGE,
  afterWeightRead: WEIGHT_STAGE,
  afterEmbedding: HIDDEN_STAGE,
  beforeLayerForward: HIDDEN_STAGE,
  afterLayerForward: HIDDEN_STAGE,
  afterAttentionScores: ATTENTION_STAGE,
  afterAttention: ATTENTION_STAGE,
  afterLoss: LOSS_STAGE,
  afterBackward: GRADIENT_STAGE,
  aroundBackward: BACKWARD_STAGE,
  afterSchedule: RATE_STAGE,
  aroundUpdate: OPTIMIZER_STAGE,
  beforeUpdate: UPDATE_STAGE,
  beforeEvaluation: EVALUATION_STAGE,
};
