import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, z } from '@hypetune/core';
import { afterAll, vi } from 'vitest';
import { describeContract } from './contract.js';

const stronger = defineMethod({
  name: 'stronger',
  summary: 'Multiplies the loss by a number.',
  source: 'a toy',
  cost: 'no extra pass',
  options: {
    factor: z.number().min(0).default(2).describe('1 is off'),
    word: z.string().default('loss').describe('any text'),
    shifts: z.array(z.int()).default([]).describe('below zero too'),
    layers: z
      .union([z.literal('all'), z.array(z.int()).min(2)])
      .default('all')
      .describe('all, or some'),
    parts: z.record(z.string(), z.number()).default({}).describe('any names'),
  },
  apply({ name, hooks }, { factor }) {
    if (factor !== 1) hooks.beforeBackward.tap(name, (loss) => tf.mul(loss, factor));
  },
});

const folder = mkdtempSync(join(tmpdir(), 'a path with spaces '));
afterAll(() => {
  rmSync(folder, { recursive: true });
});
writeFileSync(
  join(folder, 'README.md'),
  '**Claim** **Equation** | `factor` | `word` | `shifts` | `layers` | `parts` |\n## Options\n## Differences from the source\n## Citation\n',
);

// The contract brings its own time, whatever the project around it allows a test.
vi.setConfig({ testTimeout: 1 });

describeContract([
  {
    ...{ name: 'stronger', method: stronger, models: ['features'], folder: pathToFileURL(`${folder}/`) },
    ...{ create: () => stronger(), off: () => stronger({ factor: 1 }) },
  },
]);
