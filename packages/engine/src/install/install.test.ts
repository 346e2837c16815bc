import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, readFile, readdir, rm, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { InstallError } from './error.js';
import { installEngine, listEngines, removeEngine } from './install.js';
import type { InstallProgress } from './install.js';
import { withLock } from './lock.js';
import { cudaRelease, type PluginRelease } from './plugin-releases.js';
import { installPlugin, listPlugins } from './plugins.js';
import { releaseFor } from './release.js';
import { frameworkText, libraryText, removeScenes, scene } from './wheel-fixture.js';
import type { Scene } from './wheel-fixture.js';

afterEach(removeScenes);

async function failure(promise: Promise<unknown>): Promise<InstallError> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(InstallError);
  return error as InstallError;
}

const calls = async ({ folder }: Scene): Promise<number> =>
  existsSync(join(folder, 'calls'))
    ? (await readFile(join(folder, 'calls'), 'utf8')).trim().split('\n').length
    : 0;

const engineNames = async ({ cache }: Scene): Promise<string[]> =>
  existsSync(join(cache, 'engines')) ? readdir(join(cache, 'engines')) : [];

test('takes the two libraries out of the wheel, reports bytes, and does nothing the second time', async () => {
  const at = await scene();
  const seen: InstallProgress[] = [];
  const onProgress = (progress: InstallProgress): void => void seen.push(progress);
  const engine = await installEngine({ ...at.options, onProgress }, at.surroundings);
  expect(await readFile(engine.paths.tensorflow, 'utf8')).toBe(libraryText);
  expect(await readFile(engine.paths.framework, 'utf8')).toBe(frameworkText);
  expect(existsSync(join(engine.folder, 'tensorflow/other.py'))).toBe(false);
  expect(engine).toMatchObject({ name: 'fake-1.0-here', source: 'cache', version: '1.0', cuda: false });
  const bytes = libraryText.length + frameworkText.length;
  expect(seen.at(-1)).toEqual({ stage: 'extract', what: 'fake==1.0', bytes, totalBytes: bytes });
  expect(await readdir(at.cache)).toEqual(['engines']);
  expect(await installEngine(at.options, at.surroundings)).toEqual(engine);
  expect(await calls(at)).toBe(1);
  expect(await listEngines(at.options)).toEqual([engine]);
  await removeEngine('fake-1.0-here', at.options);
  expect(await listEngines(at.options)).toEqual([]);
  expect(await engineNames(at)).toEqual([]);
});

test('a plugin is unpacked from wheels that have their checksums, without headers, and found from then on', async () => {
  const at = await scene();
  const wheels = await Promise.all(
    ['good', 'nvidia'].map(async (name) => ({
      requirement: name,
      sha256: createHash('sha256')
        .update(await readFile(join(at.folder, `${name}.whl`)))
        .digest('hex'),
    })),
  );
  await at.setPip('cp "$here/$requirement.whl" "$dest/$requirement-1-py3.whl"');
  const release: PluginRelease = {
    package: 'fake-pjrt',
    version: '1.0',
    device: 'cuda',
    plugin: 'tensorflow/other.py',
    platforms: ['any'],
    pythonVersion: '3.12',
    wheels,
    bytes: 1,
  };
  const plugin = await installPlugin(at.options, release);
  expect(plugin).toMatchObject({ source: 'cache', version: '1.0', device: 'cuda' });
  expect(await readFile(plugin.path, 'utf8')).toBe('pass');
  expect(await readFile(join(plugin.folder, 'nvidia/cublas/lib/libcublas.so.12'), 'utf8')).toBe('blas');
  expect(existsSync(join(plugin.folder, 'nvidia/cublas/include'))).toBe(false);
  expect(await listPlugins(at.options)).toEqual([plugin]);
  // A damaged one is replaced.
  await rm(plugin.path);
  expect(await installPlugin(at.options, release)).toEqual(plugin);
  expect(existsSync(plugin.path)).toBe(true);
  expect(await listEngines(at.options)).toEqual([]);
  await removeEngine(plugin.name, at.options);
  const wrong = { ...release, wheels: [{ requirement: 'good', sha256: wheels[1]!.sha256 }] };
  expect((await failure(installPlugin(at.options, wrong))).message).toMatch(/has sha256 .*wanted/);
  expect(await engineNames(at)).toEqual([]);
});

test("the plugin for GPUs is that of Python's JAX if it has one", async () => {
  const found = [
    { version: '0.10.2', folder: '/site', path: '/site/jax_plugins/xla_cuda13/xla_cuda_plugin.so' },
  ];
  const at = await scene(found);
  expect(await installPlugin(at.options, cudaRelease('linux-x64', 580))).toMatchObject({
    ...{ name: 'python', source: 'python', device: 'cuda' },
    ...found[0],
  });
  expect(await calls(at)).toBe(0);
});

test('the CUDA that is installed is one that the driver takes', () => {
  expect(cudaRelease('linux-x64', 580)?.package).toBe('jax-cuda13-pjrt');
  expect(cudaRelease('linux-x64', 570)?.package).toBe('jax-cuda12-pjrt');
  expect(cudaRelease('linux-x64', 470)).toBeUndefined();
  expect(cudaRelease('darwin-arm64', undefined)).toBeUndefined();
});

test('uses the TensorFlow that Python has, unless it is too old', async () => {
  const at = await scene();
  const site = join(at.folder, 'site');
  await mkdir(site);
  await writeFile(join(site, 'libtensorflow_cc.so.2'), 'one');
  await writeFile(join(site, 'libtensorflow_framework.so.2'), 'two');
  const having = await scene({ version: '2.19.1', folder: site, cuda: false });
  const engine = await installEngine(having.options, having.surroundings);
  expect(engine).toMatchObject({ name: 'python', version: '2.19.1', folder: site, bytes: 6 });
  expect(await calls(having)).toBe(0);
  expect((await failure(removeEngine('python', having.options))).code).toBe('unknown-engine');
  const old = await scene({ version: '2.4.0', folder: site, cuda: false });
  expect((await installEngine(old.options, old.surroundings)).source).toBe('cache');
});

test.each([
  ['cut short', 'head -c 20000 "$here/good.whl" > "$dest/fake-1.0-py3.whl"', /damaged/],
  [
    'of other content',
    'sed "s/the framework/tha framework/" "$here/good.whl" > "$dest/fake-1.0-py3.whl"',
    /has sha256/,
  ],
  ['empty', 'touch "$dest/fake-1.0-py3.whl"', /damaged/],
])('a wheel that is %s is refused and removed; the next run downloads anew', async (_, pip, message) => {
  const at = await scene();
  const python = await readFile(at.options.python!, 'utf8');
  await at.setPip(pip);
  const error = await failure(installEngine(at.options, at.surroundings));
  expect(error.code).toBe('wheel');
  expect(error.message).toMatch(message);
  expect(error.message).toMatch(/run the installation again/);
  expect(await engineNames(at)).toEqual([]);
  expect(await readdir(join(at.cache, 'downloads'))).toEqual([]);
  await writeFile(at.options.python!, python);
  expect((await installEngine(at.options, at.surroundings)).source).toBe('cache');
  expect(await calls(at)).toBe(2);
});

test('no Python, no pip and a failed download each say what to do', async () => {
  const at = await scene();
  const noPython = await failure(
    installEngine({ ...at.options, python: join(at.folder, 'absent') }, at.surroundings),
  );
  expect([noPython.code, noPython.message]).toEqual([
    'no-python',
    expect.stringMatching(/Install|install Python/),
  ]);
  await at.setPip('echo "python3: No module named pip" >&2; exit 1');
  const noPip = await failure(installEngine(at.options, at.surroundings));
  expect([noPip.code, noPip.message]).toEqual(['no-pip', expect.stringContaining('ensurepip')]);
  await at.setPip('echo "ERROR: No matching distribution found" >&2; exit 1');
  const download = await failure(installEngine(at.options, at.surroundings));
  expect([download.code, download.message]).toEqual([
    'download',
    expect.stringContaining('No matching distribution'),
  ]);
  expect(download.message).toContain('proxy');
  expect(await engineNames(at)).toEqual([]);
});

test('no disk space is told before anything is downloaded', async () => {
  const at = await scene();
  const free = (): Promise<number> => Promise.resolve(libraryText.length + frameworkText.length);
  const error = await failure(installEngine(at.options, { ...at.surroundings, free }));
  expect(error.code).toBe('no-space');
  expect(error.message).toContain('HYPETUNE_CACHE');
  expect(await calls(at)).toBe(0);
});

test('a disk that fills up during the download is told as such', async () => {
  const at = await scene();
  await at.setPip('echo "OSError: [Errno 28] No space left on device" >&2; exit 1');
  expect((await failure(installEngine(at.options, at.surroundings))).code).toBe('no-space');
});

test('a machine without a wheel is sent to wasm', () => {
  expect(() => releaseFor('win32-x64')).toThrow(/HYPETUNE_ENGINE=wasm/);
  expect(() => releaseFor('linux-x64-musl')).toThrow(/linux-x64-musl/);
});

test('two installations at once download once', async () => {
  const at = await scene();
  await at.setPip('sleep 0.3; cp "$here/good.whl" "$dest/fake-1.0-py3.whl"');
  const waits: string[] = [];
  const onProgress = ({ stage }: InstallProgress): void => void waits.push(stage);
  const [one, two] = await Promise.all([
    installEngine({ ...at.options, onProgress }, at.surroundings),
    installEngine({ ...at.options, onProgress }, at.surroundings),
  ]);
  expect(one).toEqual(two);
  expect(await calls(at)).toBe(1);
  expect(waits).toContain('wait');
  expect(existsSync(join(at.cache, 'install.lock'))).toBe(false);
});

test('an interrupted download leaves nothing behind and the next run starts cleanly', async () => {
  const at = await scene();
  const python = await readFile(at.options.python!, 'utf8');
  await at.setPip('echo half > "$dest/fake-1.0-py3.whl.part"; exec sleep 20');
  const abort = new AbortController();
  const running = installEngine({ ...at.options, signal: abort.signal }, at.surroundings);
  setTimeout(() => {
    abort.abort();
  }, 300);
  expect((await failure(running)).code).toBe('aborted');
  expect(await readdir(join(at.cache, 'downloads'))).toEqual([]);
  expect(existsSync(join(at.cache, 'install.lock'))).toBe(false);
  await writeFile(at.options.python!, python);
  expect((await installEngine(at.options, at.surroundings)).source).toBe('cache');
});

test('a killed installation is cleared away: its lock, its half-written engine; its finished wheel is used', async () => {
  const at = await scene();
  const engines = join(at.cache, 'engines');
  await mkdir(join(engines, 'fake-1.0-here.partial'), { recursive: true });
  await mkdir(join(at.cache, 'downloads', 'partial'), { recursive: true });
  await writeFile(
    join(at.cache, 'downloads', 'fake-1.0-py3.whl'),
    await readFile(join(at.folder, 'good.whl')),
  );
  const lock = join(at.cache, 'install.lock');
  await writeFile(lock, JSON.stringify({ token: 'dead', process: 1, host: 'elsewhere' }));
  const old = new Date(Date.now() - 3_600_000);
  await utimes(lock, old, old);
  expect((await installEngine(at.options, at.surroundings)).source).toBe('cache');
  expect(await calls(at)).toBe(0);
  expect(await readdir(at.cache)).toEqual(['engines']);
  expect(await engineNames(at)).toEqual(['fake-1.0-here']);
});

test('an engine whose files were damaged after installation is not used and is installed anew', async () => {
  const at = await scene();
  const engine = await installEngine(at.options, at.surroundings);
  await writeFile(engine.paths.tensorflow, 'short');
  expect(await listEngines(at.options)).toEqual([]);
  await installEngine(at.options, at.surroundings);
  expect(await readFile(engine.paths.tensorflow, 'utf8')).toBe(libraryText);
});

test('a lock of a live process is respected until it is gone', async () => {
  const at = await scene();
  const lock = join(at.cache, 'install.lock');
  const order: string[] = [];
  const slow = withLock(lock, async () => {
    order.push('first in');
    await new Promise((resolve) => setTimeout(resolve, 100));
    order.push('first out');
  });
  while (!order.includes('first in')) await new Promise((resolve) => setTimeout(resolve, 5));
  const quick = withLock(lock, () => Promise.resolve(order.push('second')), { pollMilliseconds: 10 });
  await Promise.all([slow, quick]);
  expect(order).toEqual(['first in', 'first out', 'second']);
});
