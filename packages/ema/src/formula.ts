/** Decay at an update, counted from 1: `decay`, with warm-up `min(decay, (1 + t) / (10 + t))`. */
export function decayAt(step: number, decay: number, warmup: boolean): number {
  return warmup ? Math.min(decay, (1 + step) / (10 + step)) : decay;
}
