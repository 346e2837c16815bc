import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { bertConfig, bertModel, saveModel, withLabels } from '@hypetune/models';
import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { findTestPlugin } from '../packages/engine/src/pjrt/plugin-fixture.js';
import { readRun, readRunCheckpoint, RUN_RECORD } from '../packages/cli/src/run-folder.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { sentiment, tinyModel } from '../packages/cli/test/tiny-model.js';

const program = fileURLToPath(new URL('../packages/cli/dist/main.js', import.meta.url));
const plugin = await findTestPlugin();
const home = scratch();

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null }>;
  readonly said: () => string;
}

/** Starts the command on the plugin, with so many KiB of addresses. */
function start(flags: readonly string[], addresses = 'unlimited'): Started {
  const command = `ulimit -v ${addresses}; exec "$@"`;
  const child = spawn('bash', ['-c', command, 'bash', process.execPath, program, ...flags], {
    env: { ...process.env, HYPETUNE_PJRT_PLUGIN: plugin },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (data: Buffer) => (said += String(data)));
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
    child.on('close', (code, signal) => {
      resolve({ code, signal });
    });
  });
  return { child, ended, said: () => said };
}

/** Waits until a run is saved further than before. */
async function saved(run: string, child: ChildProcess): Promise<void> {
  const record = join(run, RUN_RECORD);
  const state = (): string => (existsSync(record) ? readFileSync(record, 'utf8') : '');
  const before = state();
  while (state() === before && child.exitCode === null)
    await new Promise((resolve) => setTimeout(resolve, 20));
}

describe.skipIf(plugin === undefined || !existsSync(program))('a process that trains on a plugin', () => {
  test(
    'asked to end it saves, killed it goes on from its last save, and ends with the bytes of an unbroken one',
    { timeout: 900_000 },
    async () => {
      const table = home.write('rows.tsv', sentiment(24));
      const model = await tinyModel(home);
      const flags = (run: string): string[] => [
        ...['train', '--engine', 'pjrt', '--model', model, '--train', table, '--validation', table],
        ...['--recipe', 'hype', '--batch-size', '8', '--epochs', '40', '--save-every', '25', '--out', run],
      ];
      const [whole, broken] = ['whole', 'broken'].map((name) => join(home.folder, name)) as [string, string];
      const unbroken = start(flags(whole));
      expect(await unbroken.ended).toEqual({ code: 0, signal: null });

      const asked = start(flags(broken));
      await saved(broken, asked.child);
      asked.child.kill('SIGTERM');
      expect(await asked.ended).toEqual({ code: 130, signal: null });
      expect(asked.said()).toContain(`go on with --resume ${broken}`);
      const { steps } = await readRun(broken);
      expect(steps).toBeGreaterThan(0);

      const killed = start(['train', '--resume', broken]);
      await saved(broken, killed.child);
      killed.child.kill('SIGKILL');
      expect(await killed.ended).toEqual({ code: null, signal: 'SIGKILL' });
      const { meta } = await readRunCheckpoint(broken);
      expect(meta.step).toBeGreaterThan(steps);
      expect(meta.step).toBeLessThan(120);

      const last = start(['train', '--resume', broken]);
      expect(await last.ended).toEqual({ code: 0, signal: null });
      const weights = (run: string): Buffer => readFileSync(join(run, 'model.safetensors'));
      expect(weights(broken).equals(weights(whole))).toBe(true);
    },
  );

  test(
    'without memory it ends with one clear line, and what it saved is there',
    { timeout: 900_000 },
    async () => {
      await tf.setBackend('cpu');
      const model = join(home.folder, 'long');
      const words = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'good', 'bad'];
      home.write('long/vocab.txt', `${words.join('\n')}\n`);
      const config = bertConfig({
        ...{ model_type: 'bert', vocab_size: words.length, hidden_size: 8, num_hidden_layers: 2 },
        ...{ num_attention_heads: 2, intermediate_size: 16, max_position_embeddings: 512 },
      });
      const built = bertModel(withLabels(config, ['no', 'yes']), { seed: 3 });
      await saveModel(built, model, { tokenizer: model });
      built.dispose();
      // One long row, for which a batch takes 8 GB an attention matrix, more than two of which find no place.
      const rows = Array.from(
        { length: 16_384 },
        (_, row) => `${row === 7000 ? 'good '.repeat(500) : 'good'}\tyes`,
      );
      const table = home.write('long.tsv', `text\tlabel\n${rows.join('\n')}\nbad\tno\n`);
      const run = join(home.folder, 'out');
      const few = home.write('two.tsv', 'text\tlabel\ngood\tyes\nbad\tno\n');
      // With this seed the long row is not in the first batch.
      const { ended, said } = start(
        [
          ...['train', '--engine', 'pjrt', '--model', model, '--train', table, '--validation', few],
          ...['--recipe', 'vanilla', '--seed', '1', '--batch-size', '4096', '--max-length', '512'],
          ...['--save-every', '1', '--out', run],
        ],
        '20000000',
      );
      const end = await ended;
      expect(said()).toMatch(
        /^error: The device \(cpu\) is out of memory: .*allocating \d+ bytes\. Use smaller batches \(batchSize, .*\n$/m,
      );
      expect(said().match(/out of memory/gi)).toHaveLength(2);
      expect(end).toEqual({ code: 1, signal: null });
      expect((await readRun(run)).steps).toBeGreaterThanOrEqual(1);
      const predict = start(['predict', run, 'good', '--engine', 'pjrt'], '20000000');
      expect(await predict.ended).toEqual({ code: 0, signal: null });
    },
  );
});
