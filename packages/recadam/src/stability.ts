import { HypetuneError, type PluginHost } from '@hypetune/core';

/** The pull is one step of plain descent: it must shorten the distance, so `rate * pull` stays below 2. */
export function checkStability(name: string, pull: number, host: PluginHost): void {
  const factor = pull * host.peakLearningRate;
  if (factor >= 2)
    throw new HypetuneError(
      `${name}: pull times the learning rate must stay below 2, got ${factor}; above it the weights diverge. ` +
        `Lower pull below ${2 / host.peakLearningRate} or the learning rate.`,
    );
  if (factor > 1) host.warn(name, `pull times the learning rate is ${factor}: above 1 each step overshoots.`);
}
