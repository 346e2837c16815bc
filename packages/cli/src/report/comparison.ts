import { pairedDifference, type PairedDifference, summarize, type Summary } from './statistics.js';
import { table } from './table.js';

/** One finished run of a comparison. */
export interface ComparedRun {
  readonly recipe: string;
  readonly seed: number;
  readonly metrics: Readonly<Record<string, number>>;
  /** Task loss on the rows measured on. */
  readonly loss: number;
  /** Mean loss of the last epoch's steps, terms of plugins included. */
  readonly trainLoss: number;
  readonly steps: number;
  readonly seconds: number;
}

/** What the runs of one recipe say together. */
export interface ComparedRecipe extends Summary {
  readonly recipe: string;
  /** Against the first recipe, over the seeds that both have; undefined for the first itself. */
  readonly difference?: PairedDifference & { readonly pairs: number };
}

/** Mean, deviation and maximum of a metric by recipe, each recipe paired by seed with the first. */
export function compareRecipes(runs: readonly ComparedRun[], metric: string): ComparedRecipe[] {
  const names = [...new Set(runs.map(({ recipe }) => recipe))];
  const of = (name: string): ComparedRun[] => runs.filter(({ recipe }) => recipe === name);
  const baseline = new Map(of(names[0] ?? '').map((run) => [run.seed, run.metrics[metric]!]));
  return names.map((recipe, place) => {
    const own = of(recipe);
    const summary = { recipe, ...summarize(own.map((run) => run.metrics[metric]!)) };
    const paired = own.filter((run) => baseline.has(run.seed));
    if (place === 0 || paired.length === 0) return summary;
    const difference = pairedDifference(
      paired.map((run) => baseline.get(run.seed)!),
      paired.map((run) => run.metrics[metric]!),
    );
    return { ...summary, difference: { ...difference, pairs: paired.length } };
  });
}

/** The table of all runs and the table of recipes, with a line that says how to read the second. */
export function comparisonReport(runs: readonly ComparedRun[], metrics: readonly string[]): string {
  const [metric] = metrics as [string];
  const recipes = compareRecipes(runs, metric);
  const each = table(
    ['recipe', 'seed', ...metrics, 'loss', 'train loss', 'steps', 'seconds'],
    runs.map((run) => [
      run.recipe,
      String(run.seed),
      ...metrics.map((name) => run.metrics[name]!.toFixed(4)),
      run.loss.toFixed(4),
      run.trainLoss.toFixed(4),
      String(run.steps),
      run.seconds.toFixed(1),
    ]),
  );
  const first = recipes[0]!.recipe;
  const summary = table(
    ['recipe', 'runs', `mean ${metric}`, 'sd', 'max', `against ${first}`, 'p'],
    recipes.map(({ recipe, count, mean, deviation, max, difference }) => [
      recipe,
      String(count),
      mean.toFixed(4),
      deviation?.toFixed(4) ?? '-',
      max.toFixed(4),
      difference ? signed(difference.mean) : '-',
      difference?.p?.toFixed(3) ?? '-',
    ]),
  );
  const reading =
    recipes.length > 1
      ? `\n\np: two-sided paired t test over seeds against ${first}; "-" where fewer than two pairs, or no spread, allow none.`
      : '';
  return `${each}\n\n${summary}${reading}`;
}

function signed(value: number): string {
  return `${value < 0 ? '-' : '+'}${Math.abs(value).toFixed(4)}`;
}
