import type { ParameterInfo } from '@hypetune/core';

/** How many groups lie above a parameter's: head and pooler 0, then `size` hidden layers a group from the top, the embedding last. */
export function groupOf(
  { site, layer }: Pick<ParameterInfo, 'site' | 'layer'>,
  layers: number,
  size: number,
): number {
  if (site === 'head' || site === 'pooler') return 0;
  return layer === undefined ? 1 + Math.ceil(layers / size) : 1 + Math.floor((layers - 1 - layer) / size);
}

/** The first update, counted from 1, that trains a group: one group more every `interval` updates. */
export function firstStep(group: number, interval: number): number {
  return 1 + Math.round(group * interval);
}
