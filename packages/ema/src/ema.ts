import { averageWeights, defineMethod, z } from '@hypetune/core';
import { decayAt } from './formula.js';

/** EMA (Polyak and Juditsky, 1992): `a <- d a + (1 - d) w` after every update; a is measured, kept as best and saved. */
export const ema = defineMethod({
  name: 'ema',
  summary: 'Measures and keeps an exponential moving average of the weights.',
  source: 'Polyak and Juditsky, 1992',
  cost: 'no extra pass; one addition a weight and step, one copy of the trained weights',
  options: {
    decay: z
      .number()
      .min(0)
      .lt(1)
      .default(0.999)
      .describe('d: how much of the average stays at an update; it looks back about 1 / (1 - d); 0 is off'),
    warmup: z
      .boolean()
      .default(true)
      .describe('while the run is young decay less: min(d, (1 + t) / (10 + t)) at update t'),
  },
  pairs: {
    error: { swa: 'Both put their own average in the place of the weights; keep one.' },
  },
  apply(host, { decay, warmup }) {
    if (decay === 0) return;
    averageWeights(host, (step) => 1 - decayAt(step.index, decay, warmup));
  },
});
