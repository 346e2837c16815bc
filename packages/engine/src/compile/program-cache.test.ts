import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { findLibrary } from '../native-fixture.js';
import { runProgram } from '../program-fixture.js';
import { handOver, ownFolder, takePrograms } from './program-cache.js';

const root = mkdtempSync(join(tmpdir(), 'program cache '));
const paths = await findLibrary();

/** The name under which a program is kept. */
const stored = (name: string, text: string): string =>
  `${name}.${createHash('sha256').update(text).digest('hex')}`;

afterAll(() => {
  rmSync(root, { recursive: true });
});

test('new programs are handed over, known ones stay, and the oldest go beyond the limit', () => {
  const folder = join(root, 'shared');
  const own = join(folder, 'process-1');
  mkdirSync(own, { recursive: true });
  const write = (home: string, name: string, text: string, second: number): void => {
    writeFileSync(join(home, name), text);
    utimesSync(join(home, name), second, second);
  };
  write(folder, stored('old.pb', 'x'.repeat(60)), 'x'.repeat(60), 1);
  write(folder, stored('known.pb', 'first'), 'first', 2);
  write(own, 'known.pb', 'again', 3);
  write(own, 'new.pb', 'x'.repeat(60), 4);
  write(own, 'new.pb.part', 'cut short', 5);
  handOver(own, folder, 100);
  expect(readdirSync(folder).sort()).toEqual([
    stored('known.pb', 'first'),
    `${stored('new.pb', 'x'.repeat(60))}.4000`,
  ]);
  expect(readFileSync(join(folder, stored('known.pb', 'first')), 'utf8')).toBe('first');
});

test('what a killed process left goes, but nothing of a process that lives, here or on a machine that shares the cache', () => {
  const folder = join(root, 'left');
  const here = hostname().replace(/[^\w.-]/g, '_');
  // No process has this number: the kernel gives smaller ones.
  const dead = 2 ** 22 + 1;
  const kept = [`process-${process.ppid}-${here}`, `process-${dead}-another-machine`];
  for (const name of [...kept, `process-${dead}-${here}`, `process-${dead}-long-ago`])
    mkdirSync(join(folder, name), { recursive: true });
  const weekAgo = Date.now() / 1000 - 8 * 24 * 3600;
  utimesSync(join(folder, `process-${dead}-long-ago`), weekAgo, weekAgo);
  takePrograms(ownFolder(folder), folder);
  expect(readdirSync(folder).sort()).toEqual([...kept, `process-${process.pid}-${here}`].sort());
});

describe.skipIf(paths === undefined)('with TensorFlow', () => {
  const cache = join(root, 'cache');
  const module = (path: string): string =>
    JSON.stringify(fileURLToPath(new URL(`../${path}`, import.meta.url)));

  /** Compiles and runs a step in a process of its own, once for each length and mode (compiled or not); its last result, and whether it was compiled. */
  function runStep(
    environment: NodeJS.ProcessEnv = {},
    lengths: readonly number[] = [64],
    before = '',
    modes: readonly boolean[] = [true],
  ): {
    value: number;
    compiled: boolean;
  } {
    const { status, output } = runProgram(
      join(root, 'program.mts'),
      `import * as tf from ${JSON.stringify(import.meta.resolve('@tensorflow/tfjs-core'))};
      import { rmSync, writeFileSync } from 'node:fs';
      import { keepPrograms } from ${module('compile/program-cache.ts')};
      import { loadLibrary, registerNativeBackend } from ${module('libtensorflow/index.ts')};
      keepPrograms(${JSON.stringify(cache)}, '2');
      const own = /directory="(.*)"/.exec(process.env['TF_XLA_FLAGS'] ?? '')?.[1];
      ${before}
      registerNativeBackend(loadLibrary(${JSON.stringify(paths)}));
      await tf.setBackend('tensorflow');
      const { recorder } = tf.backend();
      let value;
      for (const length of ${JSON.stringify(lengths)}) {
        const x = tf.linspace(0, 1, length);
        const step = () => tf.tidy(() => tf.sum(tf.exp(tf.sin(x))));
        for (const compile of ${JSON.stringify(modes)})
          [value] = await recorder.record(step, 'float32', compile).data();
      }
      process.stdout.write(JSON.stringify({ value, compiled: recorder.report().compiled }));
      process.exit(0);`,
      environment,
    );
    if (status !== 0) throw new Error(output);
    return JSON.parse(output) as ReturnType<typeof runStep>;
  }

  const programs = (): string[] =>
    existsSync(cache)
      ? readdirSync(cache, { recursive: true, withFileTypes: true })
          .filter((entry) => entry.isFile())
          .map((entry) => join(entry.parentPath, entry.name))
      : [];

  test(
    'a program is compiled once and found by later processes, with the same bits',
    { timeout: 240_000 },
    () => {
      expect(runStep({ HYPETUNE_PROGRAM_CACHE: 'off' }).compiled).toBe(true);
      expect(programs()).toEqual([]);
      const first = runStep();
      const [program, ...others] = programs();
      expect(others).toEqual([]);
      expect(program).toMatch(/programs[/\\][\da-f]{16}[/\\][^/\\]*\.pb\.[\da-f]{64}\.\d+$/);
      expect(runStep()).toEqual(first);
      expect(programs()).toEqual([program]);
      // Whatever else a process compiles, and in whatever order.
      runStep({}, [32, 64]);
      expect(programs()).toHaveLength(2);
      runStep({}, [64, 32]);
      expect(programs()).toHaveLength(2);
      runStep({}, [64, 32], '', [false, true]);
      expect(programs()).toHaveLength(2);
      // A damaged one is made again.
      const texts = (): string[] => programs().map((kept) => readFileSync(kept, 'latin1'));
      for (const kept of programs()) writeFileSync(kept, 'damaged');
      expect(runStep()).toEqual(first);
      expect(texts()).toHaveLength(1);
      expect(texts()).not.toContain('damaged');
      // One whose time alone changed is compared with its sum and stays.
      const [same] = programs();
      const text = readFileSync(same!, 'latin1');
      utimesSync(same!, 1, 1);
      expect(runStep()).toEqual(first);
      expect(programs()).toEqual([same!.replace(/\d+$/, '1000')]);
      expect(texts()).toEqual([text]);
      // One that was bad when it was kept is made again.
      const [whole] = programs();
      writeFileSync(whole!.replace(/[\da-f]{64}\.\d+$/, stored('', 'bad').slice(1)), 'bad');
      rmSync(whole!);
      expect(runStep()).toEqual(first);
      expect(texts()).not.toContain('bad');
      // Where nothing can be written steps are compiled all the same.
      expect(runStep({}, [48, 64], `rmSync(own, { recursive: true }); writeFileSync(own, '');`)).toEqual(
        first,
      );
    },
  );
});
