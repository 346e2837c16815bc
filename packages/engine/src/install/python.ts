import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { noSpace } from './cache.js';
import type { EngineInstall } from './cache.js';
import { InstallError } from './error.js';
import { compatibleVersion } from './release.js';
import type { Release } from './release.js';

interface Outcome {
  code: number | null;
  output: string;
  errors: string;
}

/** Runs Python to its end. Throws `no-python` if there is none, `aborted` on the signal. */
async function runPython(
  python: string,
  args: readonly string[],
  options: { signal?: AbortSignal | undefined; environment?: Record<string, string> } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(python, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, ...options.environment },
      ...(options.signal ? { signal: options.signal } : {}),
    });
    let [output, errors] = ['', ''];
    child.stdout.on('data', (data: Buffer) => (output += data.toString()));
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()));
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.name === 'AbortError')
        reject(
          new InstallError('aborted', 'The installation was interrupted; run it again to go on.', {
            cause: error,
          }),
        );
      else
        reject(
          new InstallError(
            'no-python',
            `"${python}" cannot be run (${error.code ?? error.message}). The native engine comes as a Python wheel: ` +
              'install Python 3.9 or later with pip (Debian: apt-get install python3-pip), name one by --python, or use the ' +
              'wasm engine (HYPETUNE_ENGINE=wasm).',
            { cause: error },
          ),
        );
    });
    child.on('close', (code) => {
      resolve({ code, output, errors });
    });
  });
}

/** Prints where TensorFlow is, without importing it. */
const findScript = `
import importlib.metadata, importlib.util, json, os
found = None
spec = importlib.util.find_spec('tensorflow')
if spec is not None and spec.submodule_search_locations:
    version = name = None
    for name in ('tensorflow', 'tensorflow-cpu', 'tensorflow-macos', 'tensorflow-intel', 'tf-nightly'):
        try:
            version = importlib.metadata.version(name)
            break
        except importlib.metadata.PackageNotFoundError:
            pass
    folder = list(spec.submodule_search_locations)[0]
    nvidia = os.path.join(os.path.dirname(folder), 'nvidia', 'cuda_runtime')
    found = {'version': version, 'folder': folder, 'cuda': os.path.isdir(nvidia)}
print(json.dumps(found))
`;

/** The TensorFlow that a Python has, or the reason why it is not used. */
export async function findPythonEngine(
  python: string,
  signal?: AbortSignal,
): Promise<{ engine: EngineInstall } | { reason: string }> {
  const { code, output, errors } = await runPython(python, ['-c', findScript], { signal });
  if (code !== 0) return { reason: `${python} failed: ${lastLine(errors)}` };
  const found = JSON.parse(output) as { version: string | null; folder: string; cuda: boolean } | null;
  if (found === null) return { reason: `${python} has no tensorflow` };
  const { version, folder, cuda } = found;
  if (version === null || !compatibleVersion.test(version))
    return {
      reason: `${python} has tensorflow ${version ?? 'of an unknown version'}; 2.15 or later is needed`,
    };
  for (const ending of ['.so.2', '.2.dylib']) {
    const tensorflow = join(folder, `libtensorflow_cc${ending}`);
    const framework = join(folder, `libtensorflow_framework${ending}`);
    if (!existsSync(tensorflow) || !existsSync(framework)) continue;
    const bytes = (await stat(tensorflow)).size + (await stat(framework)).size;
    return {
      engine: {
        name: 'python',
        source: 'python',
        version,
        cuda,
        folder,
        paths: { tensorflow, framework },
        bytes,
      },
    };
  }
  return { reason: `${folder} has no libtensorflow_cc and libtensorflow_framework` };
}

/** Prints where the plugins of JAX are that Python has, without importing it. */
const pluginScript = `
import importlib.metadata, json, os, sys
found = []
for cuda in ('13', '12'):
    try:
        version = importlib.metadata.version('jax-cuda' + cuda + '-pjrt')
    except importlib.metadata.PackageNotFoundError:
        continue
    for folder in sys.path:
        path = os.path.join(folder, 'jax_plugins', 'xla_cuda' + cuda, 'xla_cuda_plugin.so')
        if os.path.isfile(path):
            found.append({'version': version, 'folder': folder, 'path': path})
            break
print(json.dumps(found))
`;

/** The plugins for NVIDIA GPUs that JAX has in a Python, the newest CUDA first. */
export async function findPythonPlugins(
  python: string,
  signal?: AbortSignal,
): Promise<{ version: string; folder: string; path: string }[]> {
  const { code, output } = await runPython(python, ['-c', pluginScript], { signal });
  if (code !== 0) return [];
  const found = JSON.parse(output) as { version: string; folder: string; path: string }[] | null;
  return Array.isArray(found) ? found : [];
}

const lastLine = (text: string): string => text.trim().split('\n').at(-1) ?? '';

/** What to download and where to. */
export interface DownloadOptions {
  python: string;
  /** As pip takes it: `tensorflow-cpu==2.21.0`. */
  requirement: string;
  release: Pick<Release, 'platforms' | 'pythonVersion'>;
  /** The folder of finished wheels. */
  folder: string;
  signal?: AbortSignal | undefined;
  /** Bytes so far. */
  onBytes?: (bytes: number) => void;
}

/** Package name of a requirement as it opens a wheel's file name. */
const wheelPrefix = (requirement: string): string =>
  `${/^[\w.-]+/.exec(requirement)![0].replaceAll(/[-.]+/g, '_')}-`;

/** The wheel of a requirement if it has been downloaded before. */
export async function downloadedWheel(folder: string, requirement: string): Promise<string | undefined> {
  if (!existsSync(folder)) return undefined;
  const names = await readdir(folder);
  const name = names.find((name) => name.startsWith(wheelPrefix(requirement)) && name.endsWith('.whl'));
  return name === undefined ? undefined : join(folder, name);
}

/** Downloads a wheel with pip; the file appears in the folder only when it is complete. */
export async function downloadWheel(options: DownloadOptions): Promise<string> {
  const { python, requirement, release, folder, signal, onBytes } = options;
  const partial = join(folder, 'partial');
  await rm(partial, { recursive: true, force: true });
  await mkdir(join(partial, 'tmp'), { recursive: true });
  const timer = setInterval(() => {
    void folderBytes(partial).then((bytes) => onBytes?.(bytes));
  }, 300);
  try {
    const args = ['-m', 'pip', 'download', '--no-deps', '--no-cache-dir', '--disable-pip-version-check'];
    args.push('--progress-bar', 'off', '--only-binary=:all:', '--implementation', 'cp', '--dest', partial);
    args.push(
      '--python-version',
      release.pythonVersion,
      '--abi',
      `cp${release.pythonVersion.replace('.', '')}`,
    );
    args.push(...release.platforms.flatMap((platform) => ['--platform', platform]), requirement);
    const environment = { TMPDIR: join(partial, 'tmp'), PYTHONUNBUFFERED: '1' };
    const { code, errors } = await runPython(python, args, { signal, environment });
    if (code !== 0) throw downloadError(python, requirement, folder, errors);
    const name = (await readdir(partial)).find((name) => name.endsWith('.whl'));
    if (name === undefined) throw downloadError(python, requirement, folder, 'pip left no wheel');
    await rename(join(partial, name), join(folder, name));
    return join(folder, name);
  } finally {
    clearInterval(timer);
    await rm(partial, { recursive: true, force: true });
  }
}

function downloadError(python: string, requirement: string, folder: string, errors: string): InstallError {
  if (/No module named '?pip/.test(errors))
    return new InstallError(
      'no-pip',
      `${python} has no pip. Run "${python} -m ensurepip --upgrade" (Debian: apt-get install python3-pip) and try again.`,
    );
  if (/No space left|Errno 28/.test(errors)) return noSpace(folder, 1e9);
  const reason =
    errors
      .split('\n')
      .filter((line) => line.startsWith('ERROR'))
      .at(-1) ?? lastLine(errors);
  return new InstallError(
    'download',
    `pip could not download ${requirement}: ${reason || 'no reason given'}. Check the network and pip's settings ` +
      `("${python} -m pip config list": index-url, proxy, cert), then run the installation again.`,
  );
}

/** Bytes of the files below a folder that is being written to. */
async function folderBytes(folder: string): Promise<number> {
  let total = 0;
  try {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      total += entry.isDirectory() ? await folderBytes(path) : (await stat(path)).size;
    }
  } catch {
    // A file of pip's went away in between.
  }
  return total;
}
