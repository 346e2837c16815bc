import type { ParameterInfo } from '@hypetune/core';

/** Updates of a run of `total` that train the head alone. */
export function headSteps(share: number, total: number): number {
  return Math.round(share * total);
}

/** Whether it is part of the head: the head itself, and a pooler that did not come from pre-training. */
export function isHead({ site, pretrained }: Pick<ParameterInfo, 'site' | 'pretrained'>): boolean {
  return site === 'head' || (site === 'pooler' && !pretrained);
}
