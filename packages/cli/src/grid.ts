import { HypetuneError } from '@hypetune/core';
import { METHODS, methodNamed, type Methods } from './methods.js';
import { type Grid, type Recipe, type RecipeData, recipeOf } from './recipes.js';
import {
  check,
  RECIPE_SETTINGS,
  recipeSettings,
  ROW_SETTINGS,
  type Settings,
  settings,
  settingsWith,
} from './settings.js';

/** A recipe for each combination of the values of its own grid and of those of a common one that concern it. */
export function expandGrid(recipe: Recipe, common: Grid = {}, known: Methods = METHODS): Recipe[] {
  const own = recipe.entry?.grid ?? {};
  for (const axis of Object.keys(own))
    if (!concerns(recipe, axis))
      throw new HypetuneError(`recipe '${recipe.name}': grid: it has no method for '${axis}'.`);
  const shared = Object.entries(common).filter(([axis]) => !isOfRows(axis) && concerns(recipe, axis));
  const axes = Object.entries({ ...Object.fromEntries(shared), ...own });
  if (axes.length === 0) return [recipe];
  const { entry } = recipe;
  if (!entry)
    throw new HypetuneError(
      `recipe '${recipe.name}': a grid needs methods by name, not plugins made by code.`,
    );
  let points: readonly (readonly [string, unknown])[][] = [[]];
  for (const [axis, values] of axes)
    points = points.flatMap((point) => values.map((value) => [...point, [axis, value] as const]));
  return points.map((point) => ({ ...recipeOf(entryAt(entry, point), { known }), family: recipe.name }));
}

/** The settings of a task at each combination of the values that a grid has for its rows. */
export function rowPoints(grid: Grid = {}): Settings[] {
  let points: Settings[] = [{}];
  for (const axis of ROW_SETTINGS) {
    const values = grid[axis];
    if (values)
      points = points.flatMap((point) =>
        values.map((value) => ({ ...point, [axis]: check(settings[axis], value, `grid: ${axis}: `) })),
      );
  }
  return points;
}

/** Whether an axis of a grid makes tasks, not recipes. */
export const isOfRows = (axis: string): boolean => (ROW_SETTINGS as readonly string[]).includes(axis);

/** Throws where an axis is of no recipe, or is neither an option of a method nor a setting that a grid may go over. */
export function checkGrid(grid: Grid, recipes: readonly Recipe[], known: Methods = METHODS): void {
  for (const axis of Object.keys(grid).filter((name) => !isOfRows(name))) {
    const [method, option] = axis.split('.');
    if (option === undefined && !isSetting(axis))
      throw new HypetuneError(
        `grid: '${axis}' is neither method.option nor one of the settings ${[...RECIPE_SETTINGS, ...ROW_SETTINGS].join(', ')}.`,
      );
    if (option !== undefined) methodNamed(method!, known);
    if (!recipes.some((recipe) => concerns(recipe, axis)))
      throw new HypetuneError(`grid: no recipe of this comparison has the method '${method!}'.`);
  }
}

const isSetting = (axis: string): boolean => (RECIPE_SETTINGS as readonly string[]).includes(axis);

function concerns({ entry, plugins }: Recipe, axis: string): boolean {
  if (isSetting(axis)) return true;
  const names = entry ? (entry.plugins ?? []).map(nameOf) : plugins().map(({ name }) => name);
  return names.includes(axis.split('.')[0]!);
}

/** The recipe with these values in it, its name saying which. */
function entryAt(entry: RecipeData, point: readonly (readonly [string, unknown])[]): RecipeData {
  const rest = { ...entry, grid: undefined };
  const settings = settingsWith(
    rest.settings ?? {},
    Object.fromEntries(point.filter(([axis]) => isSetting(axis))),
  );
  for (const [axis, value] of point)
    if (isSetting(axis)) check(recipeSettings[axis]!, value, `grid: ${axis}: `);
  const plugins = (rest.plugins ?? []).map((plugin) => {
    const [name, options] = typeof plugin === 'string' ? [plugin, {}] : [plugin.name, plugin.options ?? {}];
    const own = point
      .filter(([axis]) => axis.startsWith(`${name}.`))
      .map(([axis, value]) => [axis.slice(name.length + 1), value] as const);
    return { name, options: { ...options, ...Object.fromEntries(own) } };
  });
  const values = point.map(([axis, value]) => `${axis}=${String(value)}`);
  return {
    ...rest,
    name: [entry.name, ...values].join(' '),
    plugins,
    ...(Object.keys(settings).length > 0 && { settings }),
  };
}

function nameOf(entry: NonNullable<RecipeData['plugins']>[number]): string {
  return typeof entry === 'string' ? entry : entry.name;
}
