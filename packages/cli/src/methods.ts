import { HypetuneError, isMethod, type MethodInfo } from '@hypetune/core';
import * as childTuning from '@hypetune/child-tuning';
import * as freelb from '@hypetune/freelb';
import * as hiddenMixup from '@hypetune/hidden-mixup';
import * as hype from '@hypetune/hype';
import * as l2sp from '@hypetune/l2-sp';
import * as layerDecay from '@hypetune/layer-decay';
import * as layerDrop from '@hypetune/layer-drop';
import * as lnsr from '@hypetune/lnsr';
import * as mixout from '@hypetune/mixout';
import * as neftune from '@hypetune/neftune';
import * as noisytune from '@hypetune/noisytune';
import * as r3f from '@hypetune/r3f';
import * as rDrop from '@hypetune/r-drop';
import * as recadam from '@hypetune/recadam';
import * as reinit from '@hypetune/reinit';
import * as sam from '@hypetune/sam';
import * as smart from '@hypetune/smart';
import * as topK from '@hypetune/top-k';

const packages: readonly object[] = [
  hype,
  r3f,
  rDrop,
  mixout,
  childTuning,
  noisytune,
  recadam,
  lnsr,
  topK,
  l2sp,
  smart,
  freelb,
  neftune,
  sam,
  layerDecay,
  reinit,
  layerDrop,
  hiddenMixup,
];

/** Every method this command knows, by name. */
export const METHODS: ReadonlyMap<string, MethodInfo> = new Map(
  packages
    .flatMap((exported) => Object.values(exported).filter(isMethod))
    .map((method) => [method.name, method]),
);

/** A method by its name; throws with the names there are. */
export function methodNamed(name: string): MethodInfo {
  const method = METHODS.get(name);
  if (method) return method;
  throw new HypetuneError(`there is no method '${name}'; there are ${[...METHODS.keys()].join(', ')}.`);
}
