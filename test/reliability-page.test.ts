import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { relativeDifference } from '../scripts/certify/certificate.js';
import { reliabilityPage } from '../scripts/reliability.js';
import { bundled } from '../scripts/torture/bundle.js';
import { mutated } from '../scripts/torture/mutations.js';
import { Draws } from '../scripts/torture/part.js';
import { StateFile } from '../scripts/torture/state.js';

const page = (name: string): URL => new URL(`../docs/${name}`, import.meta.url);

test('docs/reliability.md shows the figures that were published', async () => {
  const text = readFileSync(page('reliability.md'), 'utf8');
  expect(await reliabilityPage(text)).toBe(text);
  for (const name of ['torture.json', 'fidelity.json']) expect(existsSync(page(name))).toBe(true);
});

test('what the page tells to run is there', () => {
  const text = readFileSync(page('reliability.md'), 'utf8');
  const source = (command: string): string =>
    readFileSync(new URL(`../scripts/${command}/main.ts`, import.meta.url), 'utf8');
  // The parts are named in the list of each command.
  const parts = {
    certify: source('certify'),
    torture: readFileSync(new URL('../scripts/torture/parts/index.ts', import.meta.url), 'utf8'),
  };
  const commands = [...text.matchAll(/^npm run (torture|certify)(?: -- ([^#\n]*))?/gm)];
  expect(commands.length).toBeGreaterThan(5);
  for (const [, command, words = ''] of commands)
    for (const word of words.split(/\s+/).filter((it) => it !== '' && !/^\d+$/.test(it)))
      if (word.startsWith('--')) expect(source(command!)).toContain(`${word.slice(2)}: { type`);
      else expect(parts[command as keyof typeof parts]).toMatch(new RegExp(`\\b${word}[,\\]]`));
});

test('a difference is relative, and NaN stays one', () => {
  expect(relativeDifference([1, 2.5], [1, 2])).toBe(0.25);
  expect(relativeDifference([0, 0], [0, 0])).toBe(0);
  expect(relativeDifference([NaN, 1], [1, 1])).toBeNaN();
  expect(() => relativeDifference([1], [1, 2])).toThrow('1 numbers for 2');
});

test('a trial is the same for the same number, and leaves what it damages alone', () => {
  const bytes = Buffer.from('a table of contents');
  const twice = [1, 1, 2].map((trial) => String(mutated(bytes, new Draws(trial))));
  expect(twice[0]).toBe(twice[1]);
  expect(twice[0]).not.toBe(twice[2]);
  expect(String(bytes)).toBe('a table of contents');
});

test('trials add up, a fault stays until the trial passes again', () => {
  const kept = new StateFile('/nowhere/state.json');
  kept.add(0, { kinds: { run: 1 }, figures: { heap: 5 } });
  kept.add(1, { kinds: { run: 1 }, faults: ['lost'], figures: { heap: 4 } });
  expect(kept.state).toMatchObject({ trials: 2, kinds: { run: 2 }, faults: { 1: ['lost'] } });
  expect(kept.state.figures).toEqual({ heap: { first: 5, last: 4, most: 5 } });
  kept.again('1', { kinds: { run: 1 } });
  expect(kept.state).toMatchObject({ faults: {}, mended: 1 });
});

test('what torture kills is one file that Node reads', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'hypetune-torture-'));
  try {
    const script = fileURLToPath(new URL('../scripts/torture/saves/saver.ts', import.meta.url));
    const { stderr, status } = spawnSync(process.execPath, ['--check', await bundled(script, folder)]);
    expect([status, String(stderr)]).toEqual([0, '']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
