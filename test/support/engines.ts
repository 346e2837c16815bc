import * as tf from '@tensorflow/tfjs-core';
import { expect } from 'vitest';
import type { Plugin } from '@hypetune/core';
import { chooseEngine, type EngineName } from '@hypetune/engine';
import { findTestPlugin } from '../../packages/engine/src/pjrt/plugin-fixture.js';
import { train } from './training.js';

/** An engine that a test may want: its tfjs backend, or why it does not work here. */
export interface EnginePresence {
  readonly engine: EngineName;
  readonly backend?: string;
  readonly reason?: string;
}

/** Which of these engines work here. */
export async function enginesPresent(names: readonly EngineName[]): Promise<EnginePresence[]> {
  const plugin = names.includes('pjrt') ? await findTestPlugin() : undefined;
  if (plugin !== undefined) process.env['HYPETUNE_PJRT_PLUGIN'] = plugin;
  const present: EnginePresence[] = [];
  for (const engine of names)
    try {
      const { backend } = await chooseEngine({ force: engine });
      present.push({ engine, backend });
    } catch (error) {
      present.push({ engine, reason: (error as Error).message });
    }
  await tf.setBackend('cpu');
  return present;
}

/** Trains three steps in plain JavaScript and on a backend, and expects the same up to rounding. */
export async function expectSame(backend: string, create: () => Plugin, compile: boolean): Promise<void> {
  await tf.setBackend('cpu');
  const wanted = await train('bert', [create()], { steps: 3 });
  await tf.setBackend(backend);
  try {
    const got = await train('bert', [create()], { steps: 3, compile });
    const pairs = [...zip(got.losses, wanted.losses), ...zip(got.logits.flat(), wanted.logits.flat())];
    for (const [value, reference] of pairs) expect(Math.abs(value - reference)).toBeLessThan(1e-5);
  } finally {
    await tf.setBackend('cpu');
  }
}

function zip(a: readonly number[], b: readonly number[]): [number, number][] {
  expect(a).toHaveLength(b.length);
  return a.map((value, place) => [value, b[place]!]);
}
