import type { TaskName } from '@hypetune/core';
import { absolutePaths, type Config } from './config-file.js';
import { metricName } from './methods.js';
import { describeRecipe, type Recipe } from './recipes.js';
import type { RunRecord } from './run-folder.js';
import type { Setup } from './setup.js';
import { dataOf } from './tasks/data-record.js';

/** What a run was told. */
export interface RecordedRun {
  readonly setup: Setup;
  readonly config: Config;
  readonly recipe: Recipe;
  readonly seed: number;
  readonly engine: string;
}

/** What a run says about itself whenever it is saved: the same from its beginning to its end, its rows hashed once. */
export function recordOf({
  setup,
  config,
  recipe,
  seed,
  engine,
}: RecordedRun): Omit<RunRecord, 'steps' | 'finished'> {
  const { task, metrics, name, train, classWeights } = setup.task;
  return {
    ...{ version: 1, maxLength: setup.maxLength, recipe: describeRecipe(recipe), seed, engine },
    task: {
      ...{ name, kind: task.name as TaskName, labels: task.labels ?? [] },
      metrics: metrics.map(metricName),
      pair: train[0]?.pair !== undefined,
      ...(classWeights && { classWeights }),
    },
    data: dataOf(setup.task),
    config: { ...asData(absolutePaths(config)), recipe: recipe.entry, seed },
  };
}

/** The config with names in the place of metrics. */
function asData({ metrics, keepBest, ...config }: Config): Config {
  return {
    ...config,
    ...(metrics && { metrics: metrics.map(metricName) }),
    ...(keepBest !== undefined && { keepBest: metricName(keepBest) }),
  };
}
