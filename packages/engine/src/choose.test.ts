import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tf from '@tensorflow/tfjs-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { chooseEngine, EngineError } from './choose.js';
import type { ChooseOptions, EngineName } from './choose.js';
import { doctor } from './doctor.js';

let nothing: ChooseOptions;
const { HYPETUNE_ENGINE } = process.env;
beforeEach(async () => {
  delete process.env['HYPETUNE_ENGINE'];
  delete process.env['HYPETUNE_PJRT_PLUGIN'];
  nothing = {
    cacheFolder: await mkdtemp(join(tmpdir(), 'hypetune-choose-')),
    python: '/nowhere/python3',
    threads: 1,
  };
});
afterEach(async () => {
  await rm(nothing.cacheFolder!, { recursive: true, force: true });
  if (HYPETUNE_ENGINE === undefined) delete process.env['HYPETUNE_ENGINE'];
  else process.env['HYPETUNE_ENGINE'] = HYPETUNE_ENGINE;
});

test('without an installed TensorFlow wasm is taken, with the reason', async () => {
  const warnings: string[] = [];
  const choice = await chooseEngine({ ...nothing, onWarning: (message) => warnings.push(message) });
  expect(choice).toMatchObject({ name: 'wasm', backend: 'wasm' });
  expect(warnings).toEqual([]);
  expect(choice.reason).toMatch(/wasm \(WebAssembly, 1 thread\).*no native.*hypetune engine install/);
  expect(choice.reason).not.toContain('\n');
  expect(tf.getBackend()).toBe('wasm');
});

test('the option forces an engine and wins over HYPETUNE_ENGINE', async () => {
  process.env['HYPETUNE_ENGINE'] = 'wasm';
  const cpu = await chooseEngine({ ...nothing, force: 'cpu' });
  expect([cpu.name, cpu.backend, cpu.reason]).toEqual([
    'cpu',
    'cpu',
    'cpu (plain JavaScript), as the option wants',
  ]);
  const wasm = await chooseEngine(nothing);
  expect([wasm.name, wasm.reason]).toEqual(['wasm', expect.stringContaining('as HYPETUNE_ENGINE wants')]);
});

test.each(['native', 'pjrt', 'tfjs-node-gpu'] as const)(
  'a forced %s that cannot load is an error, and the backend stays',
  async (force) => {
    await chooseEngine({ ...nothing, force: 'cpu' });
    await expect(chooseEngine({ ...nothing, force })).rejects.toThrow(EngineError);
    await expect(chooseEngine({ ...nothing, force })).rejects.toThrow(
      new RegExp(`"${force}", wanted by the option`),
    );
    expect(tf.getBackend()).toBe('cpu');
  },
);

test('an installed library that cannot be loaded is passed over with its reason, and is an error when forced', async () => {
  const folder = join(nothing.cacheFolder!, 'engines', 'tensorflow-cpu-2.21.0-linux-x64');
  await mkdir(folder, { recursive: true });
  const files = ['libtensorflow_cc.so.2', 'libtensorflow_framework.so.2'].map((path) => ({
    path,
    sha256: '',
    bytes: 4,
  }));
  for (const { path } of files) await writeFile(join(folder, path), 'junk');
  await writeFile(join(folder, 'engine.json'), JSON.stringify({ version: '2.21.0', cuda: false, files }));
  const warnings: string[] = [];
  const choice = await chooseEngine({ ...nothing, onWarning: (message) => warnings.push(message) });
  expect(choice.name).toBe('wasm');
  expect(choice.reason).toMatch(/no native, .*libtensorflow.* cannot be loaded/);
  expect(warnings).toEqual([
    expect.stringMatching(
      /^The native engine is installed but does not work, so training takes wasm, .*libtensorflow/,
    ),
  ]);
  expect((await doctor(nothing)).advice.join()).toMatch(
    /Mend the native engine.*libtensorflow.* cannot be loaded/,
  );
  await expect(chooseEngine({ ...nothing, force: 'native' })).rejects.toThrow(/engine install/);
});

test('an unknown engine is an error that lists the known ones', async () => {
  await expect(chooseEngine({ force: 'tpu' as EngineName })).rejects.toThrow(/no engine "tpu".*pjrt, native/);
  process.env['HYPETUNE_ENGINE'] = 'fast';
  await expect(chooseEngine()).rejects.toThrow(/"fast" \(HYPETUNE_ENGINE\)/);
});

test('doctor reports each engine with its reason, advises, and leaves the backend as it was', async () => {
  await chooseEngine({ ...nothing, force: 'cpu' });
  const report = await doctor(nothing);
  expect(tf.getBackend()).toBe('cpu');
  expect(report.engines.map(({ name, works }) => [name, works])).toContainEqual(['native', false]);
  expect(report.engines.map(({ name, works }) => [name, works])).toContainEqual(['wasm', true]);
  expect(report.best).toBe('wasm');
  expect(report.python).toMatch(/nowhere.python3.*cannot be run/);
  expect(report.advice.join()).toContain('hypetune engine install');
  expect(report).toMatchObject({ node: process.version, installed: [], cacheFolder: nothing.cacheFolder });
});
