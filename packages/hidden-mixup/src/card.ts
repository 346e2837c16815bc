import type { MethodInfo, PluginPair } from '@hypetune/core';

/** How it stands beside other plugins. */
export const pairs: readonly PluginPair[] = [
  { with: 'r3f', verdict: 'note', reason: 'Both passes see the same mixed batch.' },
  { with: 'r-drop', verdict: 'note', reason: 'Both passes see the same mixed batch.' },
  { with: 'layer-drop', verdict: 'note', reason: 'A skipped layer still mixes what leaves it.' },
];

/** The method card as data. */
export const card: Omit<MethodInfo, 'create'> = {
  name: 'hidden-mixup',
  summary: 'Mixes the hidden states and labels of pairs of rows (TMix: Chen et al., 2020).',
  cost: 'no extra pass; one gather and one mix a layer',
  options: {
    alpha: { type: 'number', default: 0.75, doc: 'of Beta(alpha, alpha), the share; 0 is off' },
    layers: {
      type: 'number[]',
      default: undefined,
      doc: 'layers to choose from, 0 nearest to the input; every one if not given',
    },
  },
};
