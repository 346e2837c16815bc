import { averageWeights, defineMethod, RATE_STAGE, z, type Step } from '@hypetune/core';
import { cyclicRate, shareAt } from './formula.js';

/** SWA (Izmailov et al., 2018): the equal average of the weights at the start and every c updates after it is measured, kept and saved. */
export const swa = defineMethod({
  name: 'swa',
  summary: 'Measures and keeps the equal average of the weights late in the run.',
  source: 'Izmailov et al., 2018',
  cost: 'no extra pass; one addition a weight and step, one copy of the trained weights',
  options: {
    start: z.number().min(0).max(1).default(0.75).meta({
      description: 'share of the run after which averaging starts; 1 is off',
      paper: '0.75 of the budget of plain training',
    }),
    every: z
      .union([z.literal('epoch'), z.int().min(1)])
      .default('epoch')
      .meta({
        description: 'c: updates between two weights that are averaged, or epoch',
        paper: 'an epoch',
      }),
    learningRate: z.number().gt(0).optional().meta({
      description: "learning rate after the start; the trainer's schedule unless given",
      paper: 'constant and high (0.05 for SGD)',
    }),
    peak: z
      .number()
      .gt(0)
      .optional()
      .describe('learning rate at the beginning of every c updates, falling to learningRate at their end'),
  },
  check: ({ peak, learningRate }) =>
    peak !== undefined && learningRate === undefined
      ? 'peak is where a cycle begins; give learningRate, where it ends, too.'
      : undefined,
  apply(host, { start, every, learningRate, peak = learningRate }) {
    if (start === 1) return;
    let interval = 1;
    const since = ({ index, total }: Pick<Step, 'index' | 'total'>): number =>
      index - Math.round(start * total);
    host.hooks.onFitStart.tap(host.name, ({ steps, stepsPerEpoch }) => {
      interval = every === 'epoch' ? stepsPerEpoch : every;
      if (since({ index: steps, total: steps }) < interval)
        host.warn(
          `the run ends ${since({ index: steps, total: steps })} updates after start ${start}, before the first ${interval} have passed; ` +
            `nothing is averaged. Lower every or start.`,
        );
    });
    averageWeights(host, (step) => shareAt(since(step), interval));
    if (learningRate === undefined) return;
    // Before anything scales the rate of some parameters; a factor that a parameter has of its own stays where it can be seen.
    host.hooks.afterSchedule.tap({ name: host.name, stage: RATE_STAGE.REPLACE }, (rate, _, step) => {
      if (since(step) <= 0) return rate;
      const own = cyclicRate(since(step), interval, peak!, learningRate);
      const scheduled = step.learningRate();
      return scheduled > 0 ? (rate * own) / scheduled : own;
    });
  },
});
