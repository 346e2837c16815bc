// Fills in the generated tables of docs/stacking.md: who taps what at which stage, and what methods say of each other.
import { readFile, writeFile } from 'node:fs/promises';
import { format, resolveConfig } from 'prettier';
import {
  BACKWARD_STAGE,
  GRADIENT_STAGE,
  HIDDEN_STAGE,
  LOSS_STAGE,
  UPDATE_STAGE,
  WEIGHT_STAGE,
  listPairs,
  type Plugin,
} from '@hypetune/core';
import { buildModel } from '../test/support/models.js';
import { registry } from '../test/support/registry.js';
import { makeTrainer } from '../test/support/training.js';

const STACKING_PAGE = new URL('../docs/stacking.md', import.meta.url);

const STAGES: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  aroundBackward: BACKWARD_STAGE,
  afterWeightRead: WEIGHT_STAGE,
  afterEmbedding: HIDDEN_STAGE,
  beforeLayerForward: HIDDEN_STAGE,
  afterLayerForward: HIDDEN_STAGE,
  afterLoss: LOSS_STAGE,
  afterBackward: GRADIENT_STAGE,
  beforeUpdate: UPDATE_STAGE,
};

const VERDICTS = { error: 'refused', warn: 'warned of', note: '' } as const;

interface Tap {
  readonly name: string;
  readonly stage?: number;
}

/** The page with its generated parts made anew, formatted as the repository's other pages. */
export async function stackingPage(page: string): Promise<string> {
  const parts = { stages: stageTable(), pairs: pairTable(), cost: costTable() };
  const filled = Object.entries(parts).reduce(
    (text, [name, table]) =>
      text.replace(
        new RegExp(`(<!-- generated: ${name} -->\n).*?(<!-- end -->)`, 's'),
        (_, open: string, close: string) => `${open}\n${table}\n\n${close}`,
      ),
    page,
  );
  return format(filled, { ...(await resolveConfig(STACKING_PAGE)), parser: 'markdown' });
}

/** Rewrites docs/stacking.md, or only says whether it is current. */
export async function writeStackingPage(check: boolean): Promise<void> {
  const page = await readFile(STACKING_PAGE, 'utf8');
  const current = await stackingPage(page);
  if (!check) await writeFile(STACKING_PAGE, current);
  else if (current !== page) {
    console.error('docs/stacking.md is out of date; run `npm run docs`.');
    process.exitCode = 1;
  }
}

/** One row for each hook and stage that some method taps. */
function stageTable(): string {
  const rows = new Map<string, Set<string>>();
  for (const plugin of plugins())
    for (const [hook, taps] of Object.entries(tapsOf(plugin)))
      for (const { name, stage = 0 } of taps) {
        const key = `${hook} ${STAGES[hook] ? stage : ''}`;
        rows.set(key, (rows.get(key) ?? new Set()).add(name));
      }
  const hooks = Object.keys(tapsOf());
  const cells = [...rows].map(([key, names]) => {
    const [hook, stage] = key.split(' ') as [string, string];
    const title = Object.entries(STAGES[hook] ?? {}).find(([, value]) => String(value) === stage)?.[0];
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
  const methods = new Map(registry.map(({ method }) => [method.name, method]));
  return table(
    ['method', 'what it does', 'source', 'cost of a step'],
    [...methods.values()].map(({ name, summary, source, cost }) => [
      `[${name}](../packages/${folder(name)}/README.md)`,
      summary,
      source,
      cost,
    ]),
  );
}

const folder = (method: string): string => (method === 'r4f' ? 'r3f' : method);

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

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}
