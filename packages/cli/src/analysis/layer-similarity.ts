import { mean } from '@hypetune/statistics';
import type { RowState } from './hidden-states.js';
import { tokenSimilarity } from './token-similarity.js';

/** Looks at the states of rows, layer by layer, and returns how many layers there are. */
type States = (visit: (state: RowState) => void) => Promise<number>;

/** The token similarity of every row of two tokens or more, layer by layer; those around texts count where it is asked for. */
export async function rowSimilarities(
  states: States,
  { specialTokens = false }: { readonly specialTokens?: boolean } = {},
): Promise<number[][]> {
  const values: number[][] = [];
  await states(({ layer, vectors, width, tokens, all }) => {
    const counted = specialTokens ? all : tokens;
    if (counted.length > 1) (values[layer] ??= []).push(tokenSimilarity(vectors, width, counted));
  });
  return values;
}

/** Its mean over rows, layer by layer. */
export async function layerSimilarity(states: States): Promise<number[]> {
  return (await rowSimilarities(states)).map(mean);
}
