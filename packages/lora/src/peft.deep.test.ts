import '@tensorflow/tfjs-backend-cpu';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { tensorData, Trainer } from '@hypetune/core';
import { loadModel } from '@hypetune/models';
import { expect, test } from 'vitest';
import { lora } from './index.js';
import { saveAdapter } from './peft.js';

const base = new URL('../../models/fixtures/bert', import.meta.url).pathname;
const script = new URL('../fixtures/adapters.py', import.meta.url).pathname;
const python = process.env.HYPETUNE_PYTHON ?? 'python3';
const present = spawnSync(python, ['-c', 'import peft, torch, transformers']).status === 0;
if (!present) console.warn(`skipped: ${python} has no peft; name one that has it in HYPETUNE_PYTHON`);

test.skipIf(!present).each([
  ['lora', {}],
  ['dora, every bias', { dora: true, targetModules: 'all-linear', bias: 'all', rankStabilized: true }],
  ['biases of targets', { bias: 'lora_only' }],
] as const)(
  '%s: PEFT loads an adapter of ours and gives our logits',
  { timeout: 600_000 },
  async (_, options) => {
    const folder = mkdtempSync(join(tmpdir(), 'adapter-'));
    const { model } = await loadModel(base);
    // The rows of the script.
    const inputs = [
      [2, 17, 45, 9, 3, 0, 2, 88, 5, 61, 30, 3],
      [1, 1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 1],
      [0, 0, 0, 1, 1, 0, 0, 0, 1, 1, 1, 1],
    ].map((input) => tf.tensor2d(input, [2, 6], 'int32'));
    const trainer = new Trainer({
      model,
      plugins: [lora({ rank: 4, alpha: 6, ...options })],
      ...{ steps: 4, batchSize: 2, optimizer: { learningRate: 0.01 } },
    });
    const before = (model.predict(inputs) as tf.Tensor2D).arraySync();
    trainer.hooks.onFitEnd.tapPromise('test', () => saveAdapter(trainer, folder));
    await trainer.fit(tensorData(inputs, [0, 2]));
    const ours = (model.predict(inputs) as tf.Tensor2D).arraySync();
    const output = execFileSync(python, [script, 'logits', base, folder], {
      encoding: 'utf8',
      stdio: 'pipe',
    });
    const theirs = JSON.parse(output) as number[][];
    expect(ours[0]![0]!).not.toBeCloseTo(before[0]![0]!, 2);
    for (const [row, numbers] of theirs.entries())
      for (const [place, value] of numbers.entries())
        expect(Math.abs(ours[row]![place]! - value)).toBeLessThan(1e-5);
    rmSync(folder, { recursive: true });
  },
);
