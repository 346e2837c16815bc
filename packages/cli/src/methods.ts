import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import {
  HypetuneError,
  isMethod,
  isMetric,
  type Metric,
  METRIC_NAMES,
  type MethodInfo,
  namedMetric,
  unknownName,
} from '@hypetune/core';
import * as adafactor from '@hypetune/adafactor';
import * as biDrop from '@hypetune/bi-drop';
import * as cautious from '@hypetune/cautious';
import * as childTuning from '@hypetune/child-tuning';
import * as cutoff from '@hypetune/cutoff';
import * as distillation from '@hypetune/distillation';
import * as dropKey from '@hypetune/drop-key';
import * as ema from '@hypetune/ema';
import * as flooding from '@hypetune/flooding';
import * as freelb from '@hypetune/freelb';
import * as gradualUnfreezing from '@hypetune/gradual-unfreezing';
import * as hiddenMixup from '@hypetune/hidden-mixup';
import * as hype from '@hypetune/hype';
import * as l2sp from '@hypetune/l2-sp';
import * as layerDecay from '@hypetune/layer-decay';
import * as layerDrop from '@hypetune/layer-drop';
import * as lion from '@hypetune/lion';
import * as lnsr from '@hypetune/lnsr';
import * as lora from '@hypetune/lora';
import * as lpFt from '@hypetune/lp-ft';
import * as mixout from '@hypetune/mixout';
import * as neftune from '@hypetune/neftune';
import * as noisytune from '@hypetune/noisytune';
import * as rDrop from '@hypetune/r-drop';
import * as r3f from '@hypetune/r3f';
import * as recadam from '@hypetune/recadam';
import * as reinit from '@hypetune/reinit';
import * as sam from '@hypetune/sam';
import * as smart from '@hypetune/smart';
import * as spd from '@hypetune/spd';
import * as swa from '@hypetune/swa';
import * as topK from '@hypetune/top-k';
import * as wiseFt from '@hypetune/wise-ft';
import { firstLine, loadModule } from './module.js';
import { packageModule } from './package-module.js';
import type { Settings } from './settings.js';

/** The packages of methods, by their names without the scope. */
const packages: Readonly<Record<string, object>> = {
  hype,
  r3f,
  'r-drop': rDrop,
  mixout,
  'child-tuning': childTuning,
  noisytune,
  recadam,
  lnsr,
  'top-k': topK,
  'l2-sp': l2sp,
  smart,
  freelb,
  neftune,
  sam,
  'layer-decay': layerDecay,
  reinit,
  'layer-drop': layerDrop,
  'hidden-mixup': hiddenMixup,
  'bi-drop': biDrop,
  'drop-key': dropKey,
  cutoff,
  distillation,
  spd,
  flooding,
  lora,
  ema,
  swa,
  'wise-ft': wiseFt,
  'lp-ft': lpFt,
  'gradual-unfreezing': gradualUnfreezing,
  lion,
  adafactor,
  cautious,
};

/** Methods by name. */
export type Methods = ReadonlyMap<string, MethodInfo>;

/** Every method that comes with this command. */
export const METHODS: Methods = new Map(
  Object.values(packages).flatMap((exported) => named(exported, isMethod)),
);

/** The package that a shipped method stands in, as `@hypetune/hype`; undefined for a method of another's. */
export function packageOf(method: MethodInfo): string | undefined {
  const found = Object.entries(packages).find(([, exported]) => Object.values(exported).includes(method));
  return found && `@hypetune/${found[0]}`;
}

/** What modules bring: methods, those of this command among them, and metrics. */
export interface Modules {
  readonly methods: Methods;
  readonly metrics: ReadonlyMap<string, Metric>;
}

/** A method by its name; throws with the names there are. */
export function methodNamed(name: string, methods: Methods = METHODS): MethodInfo {
  const method = methods.get(name);
  if (method) return method;
  throw new HypetuneError(`there is no method ${unknownName(name, [...methods.keys()], 'there are')}`);
}

/** What it does, and whose it is. */
export function headline({ summary, source }: MethodInfo): string {
  return `${summary.replace(/\.$/, '')} (${source}).`;
}

/**
 * Where a module stands that a config names: packages as `import` resolves them from the config's folder, files beside it. Throws
 * for what is neither.
 */
export function modulePath(module: string, config: string): string {
  const file = resolve(dirname(config), module);
  if (/^\.{1,2}\/|^\//.test(module)) return file;
  try {
    return packageModule(module, config);
  } catch (error) {
    if (existsSync(file)) return file;
    throw new HypetuneError(`${config}: methods: '${module}' does not resolve: ${firstLine(error)}`);
  }
}

/** The methods of this command, and what some modules export. Throws where a module has nothing, or something whose name is taken. */
export async function openModules(files: readonly string[] = []): Promise<Modules> {
  const [methods, metrics] = [new Map(METHODS), new Map<string, Metric>()];
  for (const file of files) {
    const exported = await exportsOf(file);
    const own = { methods: named(exported, isMethod), metrics: named(exported, isMetric) };
    if (own.methods.length + own.metrics.length === 0)
      throw new HypetuneError(
        `${file}: it exports neither a method (what defineMethod returns) nor a metric ({ name, greaterIsBetter, compute }).`,
      );
    add(methods, own.methods, 'method', file);
    add(metrics, own.metrics, 'metric', file, [...METRIC_NAMES, 'loss']);
  }
  return { methods, metrics };
}

/** The settings with metrics in the place of the names of those that modules bring. Throws on a name that nothing has. */
export function withMetrics<S extends Settings>(settings: S, { metrics: own }: Pick<Modules, 'metrics'>): S {
  const known = (metric: string | Metric): string | Metric => {
    if (typeof metric !== 'string') return metric;
    return own.get(metric) ?? namedMetric(metric).name;
  };
  const { metrics, keepBest } = settings;
  return {
    ...settings,
    ...(metrics && { metrics: metrics.map(known) }),
    ...(keepBest !== undefined && { keepBest: keepBest === 'loss' ? keepBest : known(keepBest) }),
  };
}

/** The name of a metric that is given by it or as an object. */
export function metricName(metric: string | Metric): string {
  return typeof metric === 'string' ? metric : metric.name;
}

async function exportsOf(file: string): Promise<object> {
  try {
    return await loadModule(file);
  } catch (error) {
    throw new HypetuneError(`${file}: ${firstLine(error)}`, { cause: error });
  }
}

function add<T>(
  known: Map<string, T>,
  found: readonly [string, T][],
  what: string,
  file: string,
  reserved: readonly string[] = [],
): void {
  for (const [name, value] of found) {
    if (reserved.includes(name) || (known.has(name) && known.get(name) !== value))
      throw new HypetuneError(`${file}: there is a ${what} '${name}' already; give it another name.`);
    known.set(name, value);
  }
}

/** By name: the order of a module's exports is not the same under every loader. */
function named<T extends { readonly name: string }>(
  exported: object,
  is: (value: unknown) => value is T,
): [string, T][] {
  return Object.values(exported)
    .filter(is)
    .map((value): [string, T] => [value.name, value])
    .sort(([a], [b]) => (a < b ? -1 : 1));
}
