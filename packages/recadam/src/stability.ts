import { HypetuneError, type PluginHost } from '@hypetune/core';

/** The pull is one step of plain descent: it must shorten the distance, so `rate * pull` stays below 2. */
export function checkStability(host: PluginHost, pull: number): void {
  const factor = pull * host.peakLearningRate;
  if (factor >= 2)
    throw new HypetuneError(
      `${host.name}: pull times the learning rate must stay below 2, got ${factor}; above it the weights diverge. ` +
        `Lower pull below ${2 / host.peakLearningRate} or the learning rate.`,
    );
  if (factor > 1) host.warn(`pull times the learning rate is ${factor}: above 1 each step overshoots.`);
}
