import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { expect, test, vi } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';
import { main } from './program.js';
import { readRun, readRunCheckpoint } from './run-folder.js';

const home = scratch();

test('a signal while rows are read is no error: nothing is saved, the code is that of a stopped run', async () => {
  const model = await tinyModel(home);
  const table = home.write('early.tsv', sentiment(24));
  const before = process.listenerCount('SIGHUP');
  const ended = call(
    'train',
    '--train',
    table,
    '--model',
    model,
    '--engine',
    'cpu',
    '--out',
    join(home.folder, 'early'),
  );
  await vi.waitUntil(() => process.listenerCount('SIGHUP') > before, { interval: 1, timeout: 20_000 });
  process.emit('SIGHUP');
  const { code, error } = await ended;
  expect(code).toBe(130);
  expect(error).toContain('stopped before there was anything to save');
  expect(error).not.toContain('error: ');
  expect(existsSync(join(home.folder, 'early'))).toBe(false);
});

const own = (model: string): string[] => ['--model', model, '--engine', 'cpu'];

/** Calls the command and signals it at a line of its error stream. */
async function stopAt(line: RegExp, ...argv: string[]): Promise<{ code: number; text: string }> {
  let text = '';
  const error = new PassThrough().on('data', (chunk: Buffer) => {
    text += chunk.toString();
    if (line.test(chunk.toString())) process.emit('SIGHUP');
  });
  const code = await main(argv, { out: new PassThrough().resume(), error });
  return { code, text };
}

test('a stopped claim has the code of a stopped run, not of a mistake', async () => {
  const model = await tinyModel(home);
  const claim = home.write('claim.yaml', 'claim: { better: hype, than: vanilla, by: 0.01, seeds: 3 }\n');
  const table = home.write('claimed.tsv', sentiment(24));
  const { code, text } = await stopAt(/^engine/, 'verify', claim, '--train', table, ...own(model));
  expect([code, text]).toEqual([130, expect.not.stringContaining('error: ')]);
});

test('a run without --out that is stopped says that it is lost; when its steps are made the rest is done, too', async () => {
  const table = home.write('lost.tsv', sentiment(24));
  const given = ['train', '--train', table, ...own(await tinyModel(home))];
  const stopped = await stopAt(/step 2\//, ...given, '--epochs', '50', '--log-every', '1');
  expect(stopped.code).toBe(130);
  expect(stopped.text).toContain('nothing was saved: only --out keeps a run that is stopped');
  // What was trained is not lost by a signal that comes when it is measured.
  const exported = join(home.folder, 'late');
  const late = await stopAt(
    /is best: /,
    ...given,
    '--epochs',
    '1',
    '--keep-best',
    'loss',
    '--export',
    exported,
  );
  expect(late.code).toBe(0);
  expect(existsSync(join(exported, 'config.json'))).toBe(true);
});

test('a signal in an export leaves nothing behind', async () => {
  const model = await tinyModel(home);
  const before = process.listenerCount('SIGHUP');
  const ended = call('export', model, '--out', join(home.folder, 'exported'));
  await vi.waitUntil(() => process.listenerCount('SIGHUP') > before, { interval: 1, timeout: 20_000 });
  process.emit('SIGHUP');
  const { code, error } = await ended;
  expect([code, error]).toEqual([
    130,
    expect.stringContaining('stopping after this file, with nothing written'),
  ]);
  expect(readdirSync(home.folder).filter((name) => name.includes('exported'))).toEqual([]);
  expect(process.listenerCount('SIGHUP')).toBe(before);
});

test.skipIf(process.platform === 'win32')(
  'a terminal that is closed ends a run with what it has: no error stream any more, then SIGHUP',
  async () => {
    const model = await tinyModel(home);
    const table = home.write('rows.tsv', sentiment(24));
    const run = join(home.folder, 'run');
    const rows = ['--train', table, '--validation', table, '--epochs', '100000', '--recipe', 'nodrop'];
    const main = fileURLToPath(new URL('main.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        ...['--conditions=@hypetune/source', '--import', 'tsx', main],
        ...['train', '--model', model, ...rows, '--engine', 'cpu', '--out', run],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    const ended = once(child, 'exit');
    // The rows are read: it trains.
    for await (const chunk of child.stderr) if (String(chunk).includes('rows to learn from')) break;
    child.stderr.destroy();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(child.exitCode).toBe(null);
    child.kill('SIGHUP');
    expect(await ended).toEqual([130, null]);
    const { steps, finished } = await readRun(run);
    expect(finished).toBe(false);
    expect(steps).toBeGreaterThan(0);
    expect((await readRunCheckpoint(run)).meta.step).toBe(steps);
    // The checkpoint is read, and so checked, where a run goes on; without it the rest can be used.
    const checkpoint = join(run, 'checkpoint.safetensors');
    appendFileSync(checkpoint, '!');
    await expect(readRunCheckpoint(run)).rejects.toThrow('the file is not the one that was saved');
    rmSync(checkpoint);
    expect((await readRun(run)).steps).toBe(steps);
  },
);
