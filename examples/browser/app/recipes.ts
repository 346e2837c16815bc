import type { TrainerOptions } from '@hypetune/core';
import { hype } from '@hypetune/hype';
import { r3f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';

/** How a model is tuned: plugins, and what else a recipe changes. Any method's package can be added here. */
export const RECIPES = {
  hype: () => ({ plugins: [hype({ hiddenDropout: 0 })] }),
  vanilla: () => ({}),
  nodrop: () => ({ dropout: { hidden: 0 } }),
  'hype+r3f': () => ({ plugins: [hype({ hiddenDropout: 0 }), r3f()] }),
  'r-drop': () => ({ plugins: [rDrop()] }),
} satisfies Record<string, () => Pick<TrainerOptions, 'plugins' | 'dropout'>>;

export type Recipe = keyof typeof RECIPES;
