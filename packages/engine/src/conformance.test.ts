import * as tf from '@tensorflow/tfjs-core';
// The gradients of tfjs-core's operations are registered by tfjs-layers.
import '@tensorflow/tfjs-layers';
import { describe, expect, test } from 'vitest';
import { startEngine } from './choose.js';
import type { EngineName } from './choose.js';
import { elementwiseCases } from './conformance/elementwise-cases.js';
import { fusedCases } from './conformance/fused-cases.js';
import { difference, evaluate } from './conformance/harness.js';
import type { Case, Run } from './conformance/harness.js';
import { productCases } from './conformance/product-cases.js';
import { findTestPlugin } from './pjrt/plugin-fixture.js';
import type { RecordingBackend } from './recording/tfjs-node.js';
import { shapeCases } from './conformance/shape-cases.js';
import { windowCases } from './conformance/window-cases.js';

const groups: Record<string, Case[]> = {
  'each element': elementwiseCases,
  'shapes and reductions': shapeCases,
  'products and layers': productCases,
  'fused operations': fusedCases,
  'windows and images': windowCases,
};

/** Starts an engine; its backend's name, or why it is not here. */
async function start(name: EngineName): Promise<{ backend: string } | { reason: string }> {
  try {
    await startEngine(name, { threads: 2 });
    return { backend: tf.getBackend() };
  } catch (error) {
    return { reason: (error as Error).message };
  }
}

await startEngine('cpu');
const plugin = await findTestPlugin();
if (plugin !== undefined) process.env['HYPETUNE_PJRT_PLUGIN'] = plugin;

/** Compiling takes a plugin longer than computing: of its cases `npm test` tries one in this many. */
const SHARE = process.env['HYPETUNE_DEEP'] === undefined ? 16 : 1;

/** Engines as they are, and native in pieces, of which cases are mostly so small that they run as operations of one function. */
const WAYS: readonly { readonly engine: EngineName; readonly how: string; readonly record?: Run }[] = [
  { engine: 'wasm', how: 'wasm' },
  { engine: 'native', how: 'native' },
  {
    engine: 'native',
    how: 'native in pieces',
    record: (step) => (tf.backend() as unknown as RecordingBackend).recorder.record(step, 'bfloat16'),
  },
  { engine: 'pjrt', how: 'pjrt' },
];

/** Products large enough to be rounded to bfloat16. */
const ROUNDED = ['matMul [70,65] [65,33]', 'linear, large'];

for (const { engine, how, record } of WAYS) {
  const started = await start(engine);
  if ('reason' in started) {
    test.skip(`${how}: ${started.reason}`, () => undefined);
    continue;
  }
  for (const [group, all] of Object.entries(groups)) {
    const cases = engine === 'pjrt' ? all.filter((_, place) => place % SHARE === 0) : all;
    describe(`${how} agrees with cpu on ${group}`, () => {
      test.each(cases.map((item) => [item.name, item] as const))('%s', async (name, item) => {
        await tf.setBackend('cpu');
        const wanted = evaluate(item);
        await tf.setBackend(started.backend);
        const before = tf.memory().numTensors;
        const got = evaluate(item, record);
        const isRounded = record !== undefined && ROUNDED.includes(name);
        expect(difference(got, wanted, isRounded ? 2 ** -3 : item.tolerance)).toBeUndefined();
        expect(tf.memory().numTensors).toBe(before);
      });
    });
  }
}
