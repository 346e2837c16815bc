import '@tensorflow/tfjs-backend-cpu';
import { GRADIENT_STAGE, type Plugin } from '@hypetune/core';
import { lora } from '@hypetune/lora';
import { expect, test } from 'vitest';
import { expectResumable } from '../../../test/support/resumed.js';
import { train } from '../../../test/support/training.js';
import { headSteps, isHead, lpFt } from './index.js';

test('the head is the head, and a pooler that is new (V1)', () => {
  expect(isHead({ site: 'head', pretrained: false })).toBe(true);
  expect(isHead({ site: 'pooler', pretrained: false })).toBe(true);
  expect(isHead({ site: 'pooler', pretrained: true })).toBe(false);
  expect(isHead({ site: 'hidden', pretrained: false })).toBe(false);
  expect([0, 0.2, 0.25, 1].map((share) => headSteps(share, 10))).toEqual([0, 2, 3, 10]);
});

/** What trains, and the head's rate, at every step. */
async function watched(plugins: readonly Plugin[]): Promise<{ trained: string[][]; rates: number[] }> {
  const trained: string[][] = [];
  const rates: number[] = [];
  const watch: Plugin = {
    name: 'watch',
    apply: ({ hooks }) => {
      hooks.afterBackward.tap({ name: 'watch', stage: GRADIENT_STAGE.RECORD }, (gradients, step) => {
        trained.push(Object.keys(gradients));
        rates.push(step.learningRate(step.parameters.at(-1)));
        return gradients;
      });
    },
  };
  await train('bert', [...plugins, watch]);
  return { trained, rates };
}

test('half the run trains the head alone, at its own rate, then everything trains', async () => {
  const { trained, rates } = await watched([lpFt({ share: 0.5, headRate: 5 })]);
  const head = ['classifier.weight', 'classifier.bias'];
  expect(trained.slice(0, 2)).toEqual([head, head]);
  expect(trained[2]!.length).toBeGreaterThan(30);
  expect(trained[3]).toEqual(trained[2]);
  for (const [place, rate] of [0.05, 0.05, 0.01, 0.01].entries()) expect(rates[place]).toBeCloseTo(rate, 9);
});

test('adapters wait for the head too', async () => {
  const { trained } = await watched([lora({ rank: 2 }), lpFt({ share: 0.5 })]);
  expect(trained.map((names) => names.length)).toEqual([2, 2, 10, 10]);
  const all = await watched([lora({ rank: 2, targetModules: 'all-linear' }), lpFt({ share: 0.5 })]);
  expect(all.trained[0]).toEqual(['classifier.weight', 'classifier.bias']);
});

test('share 0 is plain training to the last bit', async () => {
  expect(await train('bert', [lpFt({ share: 0 })])).toEqual(await train('bert', []));
});

test('resumes, also across the phases, repeats itself, leaves no tensor', () =>
  expectResumable('features', () => [lpFt({ share: 0.5 })]));

test('a bad share is refused by name', () => {
  expect(() => lpFt({ share: 2 })).toThrow('lp-ft: share must be a finite number >= 0 and <= 1, got 2.');
});
