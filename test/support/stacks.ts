import { registry, type Entry } from './registry.js';

/** Name of the plugin that an entry makes, without its mode. */
export const pluginName = (entry: Entry): string => entry.name.split('/')[0]!;

/** Whether two plugins may stand in one trainer: of one kind only one, and none that refuses the other. */
function stackable(first: Entry, second: Entry): boolean {
  const [a, b] = [first.create(), second.create()];
  return a.name !== b.name && !a.pairs?.error?.[b.name] && !b.pairs?.error?.[a.name];
}

/** One entry a plugin, and in the deep tests its modes too. */
const chosen = registry.filter(
  (entry, place) =>
    process.env['HYPETUNE_DEEP'] ||
    registry.findIndex((other) => pluginName(other) === pluginName(entry)) === place,
);

/** Every pair of different plugins. */
export const pairs = chosen.flatMap((first, place) =>
  chosen
    .slice(place + 1)
    .filter((second) => stackable(first, second))
    .map((second) => ({ name: `${first.name} + ${second.name}`, entries: [first, second] })),
);

/** 50 stacks of 3 to 5 plugins, the same at every run of the tests. */
export const stacks = Array.from({ length: 50 }, (_, seed) => {
  let state = seed * 7919 + 12345;
  const next = (below: number): number => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return (state >>> 8) % below;
  };
  const left = [...registry];
  const entries: Entry[] = [];
  for (let size = 3 + next(3); entries.length < size;) {
    const [entry] = left.splice(next(left.length), 1);
    if (entries.every((other) => stackable(other, entry!))) entries.push(entry!);
  }
  return { name: entries.map(({ name }) => name).join(' + '), entries };
});
