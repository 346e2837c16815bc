import type { ParameterInfo } from '@hypetune/core';

/** How depth is counted; they differ by one under the head. */
export const countings = ['revisit', 'electra'] as const;
export type Counting = (typeof countings)[number];

/**
 * Distance of a parameter from the top, the exponent of the decay. Head and pooler 0; with `revisit` the top one of
 * `count` hidden layers 1, the lowest `count`, the embedding `count + 1`; `electra` adds one to all but the head.
 */
export function depth(
  parameter: Pick<ParameterInfo, 'site' | 'layer'>,
  count: number,
  counting: Counting,
): number {
  if (parameter.site === 'head' || parameter.site === 'pooler') return 0;
  return count - (parameter.layer ?? -1) + (counting === 'electra' ? 1 : 0);
}
