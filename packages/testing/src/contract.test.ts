import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import * as tf from '@tensorflow/tfjs-core';
import { defineMethod, z } from '@hypetune/core';
import { afterAll } from 'vitest';
import { describeContract } from './contract.js';

const stronger = defineMethod({
  name: 'stronger',
  summary: 'Multiplies the loss by a number.',
  source: 'a toy',
  cost: 'no extra pass',
  options: { factor: z.number().min(0).default(2).describe('1 is off') },
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
  '**Claim** **Equation** | `factor` |\n## Options\n## Differences from the source\n## Citation\n',
);

describeContract([
  {
    ...{ name: 'stronger', method: stronger, models: ['features'], folder: pathToFileURL(`${folder}/`) },
    ...{ create: () => stronger(), off: () => stronger({ factor: 1 }) },
  },
]);
