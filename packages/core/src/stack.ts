import { HypetuneError } from './errors.js';
import type { Host } from './host.js';
import { listPairs, type Plugin } from './plugin.js';
import { LOSS_STAGE, WEIGHT_STAGE } from './stages.js';

interface TapInfo {
  readonly name: string;
  readonly stage?: number;
}

/** Refuses a stack whose plugins share a name or exclude each other, and warns of pairs that harm or do nothing. */
export function checkStack(plugins: readonly Plugin[], host: Host): void {
  const names = new Set<string>();
  for (const { name } of plugins) {
    if (names.has(name))
      throw new HypetuneError(`trainer: two plugins are named '${name}'; keep one of them.`);
    names.add(name);
  }
  for (const { name, pairs } of plugins)
    for (const { with: other, verdict, reason } of listPairs(pairs)) {
      if (!names.has(other)) continue;
      if (verdict === 'error')
        throw new HypetuneError(`trainer: ${name} and ${other} cannot be stacked: ${reason}`);
      if (verdict === 'warn') host.warn(name, `stacked with ${other}: ${reason}`);
    }
}

/** Refuses two plugins at a stage that admits one. To be called when every plugin has tapped. */
export function checkStages(host: Host): void {
  for (const [hook, stage] of [
    ['afterWeightRead', WEIGHT_STAGE.REPLACE],
    ['afterLoss', LOSS_STAGE.REPLACE],
  ] as const) {
    const taps = (host.hooks[hook] as unknown as { taps: readonly TapInfo[] }).taps;
    const owners = [...new Set(taps.filter((tap) => tap.stage === stage).map(({ name }) => name))];
    if (owners.length > 1)
      throw new HypetuneError(
        `trainer: ${owners.join(' and ')} both replace at ${hook}'s stage ${stage}, which admits one plugin; drop one.`,
      );
  }
}
