import { type Key, currentDraws, foldIn, seedKey } from '@hypetune/ops';

/** Which of a configuration's two dropout rates applies: on hidden states or on attention probabilities. */
export type DropoutKind = 'hidden' | 'attention';

/** One dropout of one call: the share of elements dropped and the key of the draw. */
export interface Dropout {
  readonly rate: number;
  readonly key: Key;
}

/** The dropout at `place` of a layer, given the rate its configuration declares; `undefined` where nothing is dropped. */
export type Dropouts = (kind: DropoutKind, place: string, declared: number) => Dropout | undefined;

/** No dropout anywhere: evaluation. */
export const noDropouts: Dropouts = () => undefined;

/**
 * The dropouts of one call of the layer `name`. Inside a draw scope (a training pass) rates, keys and whether to drop
 * come from the scope; outside, from the call's own `training` flag, `seed` and the number of the call.
 */
export function dropoutsOf(name: string, training: boolean, seed: number, call: number): Dropouts {
  const scope = currentDraws();
  if (!(scope?.training ?? training)) return noDropouts;
  const key = scope ? foldIn(scope.key, name) : foldIn(seedKey(seed), 'dropout', name, call);
  return (kind, place, declared) => {
    const rate = scope ? scope.rate(kind, declared) : declared;
    return rate > 0 ? { rate, key: foldIn(key, place) } : undefined;
  };
}
