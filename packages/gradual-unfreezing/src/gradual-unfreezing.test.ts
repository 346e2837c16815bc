import '@tensorflow/tfjs-backend-cpu';
import { GRADIENT_STAGE, type Plugin } from '@hypetune/core';
import { expect, test } from 'vitest';
import { expectResumable } from '../../../test/support/resumed.js';
import { train } from '../../../test/support/training.js';
import { firstStep, gradualUnfreezing, groupOf } from './index.js';

test('groups from the top: the head, layers, the embedding (V1)', () => {
  const groups = (size: number): number[] => [
    groupOf({ site: 'head', layer: undefined }, 5, size),
    ...[4, 3, 2, 1, 0].map((layer) => groupOf({ site: 'hidden', layer }, 5, size)),
    groupOf({ site: 'embedding', layer: undefined }, 5, size),
  ];
  expect(groups(1)).toEqual([0, 1, 2, 3, 4, 5, 6]);
  expect(groups(2)).toEqual([0, 1, 1, 2, 2, 3, 4]);
  expect([0, 1, 2, 3].map((group) => firstStep(group, 2.5))).toEqual([1, 4, 6, 9]);
});

/** How many hidden layers, and whether the embedding, train at every step. */
async function watched(options: Parameters<typeof gradualUnfreezing>[0]): Promise<string[]> {
  const seen: string[] = [];
  const watch: Plugin = {
    name: 'watch',
    apply: ({ hooks }) => {
      hooks.afterBackward.tap(
        { name: 'watch', stage: GRADIENT_STAGE.RECORD },
        (gradients, { parameters }) => {
          const layers = [
            ...new Set(parameters.flatMap(({ layer }) => (layer === undefined ? [] : [layer]))),
          ];
          const embedding = parameters.some(({ site }) => site === 'embedding');
          seen.push([...layers, ...(embedding ? ['embedding'] : [])].join());
          return gradients;
        },
      );
    },
  };
  await train('bert', [gradualUnfreezing(options), watch], { steps: 8 });
  return seen;
}

test('layers join in from the top, in equal parts or at every n-th update', async () => {
  const all = '0,1,embedding';
  expect(await watched({ share: 0.75 })).toEqual(['', '', '1', '1', '0,1', '0,1', all, all]);
  expect(await watched({ every: 1 })).toEqual(['', '1', '0,1', all, all, all, all, all]);
  expect(await watched({ every: 3, groupSize: 2 })).toEqual(['', '', '', '0,1', '0,1', '0,1', all, all]);
});

test('share 0 is plain training to the last bit', async () => {
  expect(await train('bert', [gradualUnfreezing({ share: 0 })])).toEqual(await train('bert', []));
});

test('resumes, also across the phases, repeats itself, leaves no tensor', () =>
  expectResumable('bert', () => [gradualUnfreezing({ share: 1 })]));

test('a bad option is refused by name', () => {
  expect(() => gradualUnfreezing({ every: 0 })).toThrow(
    'gradual-unfreezing: every must be an integer >= 1, got 0.',
  );
});
