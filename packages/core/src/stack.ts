import { HypetuneError, show } from './errors.js';
import { isMethod } from './method.js';
import type { Host } from './host.js';
import { listPairs, type Plugin } from './plugin.js';
import { LOSS_STAGE, OPTIMIZER_STAGE, WEIGHT_STAGE } from './stages.js';
import { tapsAt } from './taps.js';

/** Refuses a stack whose plugins share a name or exclude each other, and warns of pairs that harm or do nothing. */
export function checkStack(plugins: readonly Plugin[], host: Host): void {
  for (const [place, plugin] of plugins.entries()) checkPlugin(plugin, place);
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

/** Refuses what is no plugin: a class, a method that was not called, an object without name or apply. */
function checkPlugin(plugin: unknown, place: number): void {
  const where = `trainer: plugins[${place}]`;
  if (typeof plugin === 'function')
    throw new HypetuneError(
      isMethod(plugin)
        ? `${where} is the method ${plugin.name} itself; write ${plugin.name}().`
        : `${where} is ${/^class/.test(String(plugin)) ? 'a class' : 'a function'}; give a plugin: new ${plugin.name || 'MyPlugin'}().`,
    );
  const { name, apply } = (plugin ?? {}) as Partial<Plugin>;
  if (typeof name !== 'string' || name === '' || typeof apply !== 'function')
    throw new HypetuneError(
      `${where} must be a plugin, an object with a name and apply(host), got ${show(plugin)}.`,
    );
}

/** Refuses two plugins at a stage that admits one. To be called when every plugin has tapped. */
export function checkStages(host: Host): void {
  for (const [hook, stage] of [
    ['afterWeightRead', WEIGHT_STAGE.REPLACE],
    ['afterLoss', LOSS_STAGE.REPLACE],
    ['aroundUpdate', OPTIMIZER_STAGE.REPLACE],
  ] as const) {
    const owners = [...new Set(tapsAt(host.hooks[hook], stage))];
    if (owners.length > 1)
      throw new HypetuneError(
        `trainer: ${owners.join(' and ')} both replace at ${hook}'s stage ${stage}, which admits one plugin; drop one.`,
      );
  }
}
