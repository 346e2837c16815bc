import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import type { Plugin, Precision } from '@hypetune/core';
import { chooseEngine } from '@hypetune/engine';
import { enginesPresent } from './support/engines.js';
import { buildData, buildModel } from './support/models.js';
import { registry } from './support/registry.js';
import { stacks } from './support/stacks.js';
import { makeTrainer } from './support/training.js';

const [native, pjrt] = await enginesPresent(['native', 'pjrt']);

/** Handles, or buffers, that the backend holds. */
const handles = (): number =>
  (tf.backend() as unknown as { binding: { runtime: { handles: number } } }).binding.runtime.handles;

interface LongRun {
  readonly losses: number[];
  /** Handles and tensors after step 20, step 160 and the last. */
  readonly counts: [number, number][];
}

/** What a method's schedule is laid out for, however early a run ends. */
const STEPS = 200;

async function run(
  plugins: readonly Plugin[],
  until: number,
  how: { readonly compile: boolean; readonly precision?: Precision },
): Promise<LongRun> {
  const model = buildModel('bert');
  const { data, dispose } = buildData('bert');
  const result: LongRun = { losses: [], counts: [] };
  // A rate at which rounding is not blown up by the model itself.
  const trainer = makeTrainer(model, plugins, {
    steps: STEPS,
    ...how,
    optimizer: { learningRate: 1e-3 },
  });
  const end = new AbortController();
  trainer.hooks.onStep.tap('test', ({ loss, step }) => {
    result.losses.push(loss);
    if ([20, 160, STEPS].includes(step)) result.counts.push([handles(), tf.memory().numTensors]);
    if (step === until) end.abort();
  });
  try {
    await trainer.fit(data, { signal: end.signal });
    if (how.compile) expect(trainer.compileReport()).toMatchObject({ compiled: true });
    return result;
  } finally {
    dispose();
    model.dispose();
  }
}

const singles = registry.map((entry) => ({ name: entry.name, entries: [entry] }));

// This model's products are too small to be rounded, so that in bfloat16 its steps are the same in pieces.
const ways = [
  { ...native!, precision: 'float32' },
  { ...native!, precision: 'bfloat16' },
  { ...pjrt!, precision: 'float32' },
] as const;

describe.skipIf(native?.backend === undefined).each(ways)(
  'compiled steps on $engine in $precision',
  ({ engine, backend, reason, precision }) => {
    if (backend === undefined) {
      test.skip(`not here: ${reason ?? ''}`);
      return;
    }
    test.each([...singles, ...stacks])(
      '$name: the losses of eager steps of native, and no handle kept in 200 steps',
      { timeout: 600_000 },
      async ({ entries }) => {
        // Anew: an engine keeps the functions it compiled, and these tests compile more than it takes.
        tf.removeBackend(native!.backend!);
        await chooseEngine({ force: 'native' });
        const create = (): Plugin[] => entries.map((entry) => (entry.steady ?? entry.create)());
        const eager = await run(create(), 20, { compile: false });
        await chooseEngine({ force: engine });
        const compiled = await run(create(), STEPS, { compile: true, precision });
        for (const [place, loss] of eager.losses.entries())
          expect(Math.abs(compiled.losses[place]! - loss) / Math.max(1e-3, Math.abs(loss))).toBeLessThan(
            1e-4,
          );
        const [early, late, last] = compiled.counts;
        expect(last).toEqual(late);
        // What is frozen at first gets to the device when it is trained.
        if (!entries.some(({ name }) => ['lp-ft', 'gradual-unfreezing'].includes(name)))
          expect(last).toEqual(early);
      },
    );
  },
);
