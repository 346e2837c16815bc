import type { ParameterInfo } from '@hypetune/core';

/**
 * Whether a parameter trains when the top `layers` of `count` hidden layers do: pooler and head always, hidden layer l
 * (0 nearest to the input) if `l >= count - layers`; the embedding counts as layer -1.
 */
export function trains(
  parameter: Pick<ParameterInfo, 'site' | 'layer'>,
  layers: number,
  count: number,
): boolean {
  if (parameter.site === 'pooler' || parameter.site === 'head') return true;
  return (parameter.layer ?? -1) >= count - layers;
}
