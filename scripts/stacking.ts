// Fills in the generated tables of docs/stacking.md: who taps what at which stage, and what methods say of each other.
import { HOOK_STAGES, listPairs, type Plugin } from '@hypetune/core';
import { buildModel } from '../test/support/models.js';
import { registry } from '../test/support/registry.js';
import { makeTrainer } from '../test/support/training.js';
import { fillParts, table } from './generated.js';

const VERDICTS = { error: 'refused', warn: 'warned of', note: '' } as const;

interface Tap {
  readonly name: string;
  readonly stage?: number;
}

/** The page with its tables made anew. */
export function stackingPage(page: string): Promise<string> {
  return fillParts(page, { stages: stageTable(), pairs: pairTable(), cost: costTable() });
}

/** One row for each hook and stage that some method taps. */
function stageTable(): string {
  const rows = new Map<string, Set<string>>();
  for (const plugin of plugins())
    for (const [hook, taps] of Object.entries(tapsOf(plugin)))
      for (const { name, stage = 0 } of taps) {
        const key = `${hook} ${HOOK_STAGES[hook] ? stage : ''}`;
        rows.set(key, (rows.get(key) ?? new Set()).add(name));
      }
  const hooks = Object.keys(tapsOf());
  const cells = [...rows].map(([key, names]) => {
    const [hook, stage] = key.split(' ') as [string, string];
    const title = Object.entries(HOOK_STAGES[hook] ?? {}).find(([, value]) => String(value) === stage)?.[0];
    return {
      hook,
      stage: Number(stage),
      title: stage && `${title ?? 'own'} ${stage}`,
      names: [...names].sort(),
    };
  });
  cells.sort((a, b) => hooks.indexOf(a.hook) - hooks.indexOf(b.hook) || a.stage - b.stage);
  return table(
    ['hook', 'stage', 'methods'],
    cells.map(({ hook, title, names }) => [`\`${hook}\``, title, names.join(', ')]),
  );
}

/** One row for each pair that a method says something about. */
function pairTable(): string {
  const said = plugins().flatMap((plugin) =>
    listPairs(plugin.pairs).map((pair) => ({ from: plugin.name, ...pair })),
  );
  const unique = new Map(said.map((pair) => [`${pair.from} ${pair.with}`, pair]));
  return table(
    ['pair', 'verdict', 'why'],
    [...unique.values()]
      .map((pair) => [`${pair.from} + ${pair.with}`, VERDICTS[pair.verdict], pair.reason])
      .sort(),
  );
}

/** One row for each method. */
function costTable(): string {
  // A variant stands on the page of its method, whose name its plugins bear.
  const methods = new Map(
    registry.map(({ method, create }) => [
      method.name,
      { ...method, name: method.name, page: create().name },
    ]),
  );
  return table(
    ['method', 'what it does', 'source', 'cost of a step'],
    [...methods.values()].map(({ name, page, summary, source, cost }) => [
      `[${name}](../packages/${page}/README.md)`,
      summary,
      source,
      cost,
    ]),
  );
}

function plugins(): Plugin[] {
  return registry.map(({ create }) => create());
}

/** The taps of each hook of a trainer, those of core alone taken out where a plugin is given. */
function tapsOf(...plugins: Plugin[]): Record<string, Tap[]> {
  const model = buildModel('bert');
  const hooks = makeTrainer(model, plugins).hooks as unknown as Record<string, { taps: readonly Tap[] }>;
  model.dispose();
  return Object.fromEntries(
    Object.entries(hooks).map(([hook, { taps }]) => [
      hook,
      taps.filter(({ name }) => plugins.length === 0 || plugins.some((plugin) => plugin.name === name)),
    ]),
  );
}
