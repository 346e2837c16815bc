import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import util from 'node:util';
import * as tf from '@tensorflow/tfjs-core';
import { registerMissingKernels } from './bridge.js';
import { keepPrograms } from './compile/program-cache.js';
import { cacheFolder, type EngineInstall } from './install/cache.js';
import { InstallError } from './install/error.js';
import { listEngines } from './install/install.js';
import { loadLibrary, registerNativeBackend } from './libtensorflow/index.js';
import { Client } from './pjrt/client.js';
import { hasNvidiaGpu } from './install/nvidia.js';
import { findPlugin } from './pjrt/plugins.js';
import { provideTypeNumbers, registerPjrtBackend } from './pjrt/backend.js';
import { useWasm } from './wasm/index.js';

/** The engines in the order in which they are tried, the fastest first. */
export const engineNames = ['pjrt', 'native', 'tfjs-node-gpu', 'tfjs-node', 'wasm', 'cpu'] as const;
export type EngineName = (typeof engineNames)[number];

export interface ChooseOptions {
  /** Take this engine or fail. Default: HYPETUNE_ENGINE, else the first that works. */
  force?: EngineName;
  /** Where installed engines are: see installEngine. */
  cacheFolder?: string;
  /** The Python whose TensorFlow may be used. Default `python3`. */
  python?: string;
  /** Told when an engine is installed and a slower one has to be taken. Default: `console.warn`. */
  onWarning?: (message: string) => void;
  /** Threads of the wasm engine. Default: one a processor, at most 8. */
  threads?: number;
}

/** The engine taken. */
export interface EngineChoice {
  name: EngineName;
  /** One line: what it is and why it was taken. */
  reason: string;
  /** Name of the tfjs backend that is now set. */
  backend: string;
}

/** An engine that was asked for and does not work here. */
export class EngineError extends Error {
  override name = 'EngineError';
}

/**
 * Sets tfjs's backend to the fastest engine that works here: XLA on a GPU, the native one on the CPU, an installed tfjs-node
 * addon, wasm, plain JavaScript. A forced engine (option or HYPETUNE_ENGINE) that does not work is an EngineError, never replaced.
 */
export async function chooseEngine(options: ChooseOptions = {}): Promise<EngineChoice> {
  const forced = forcedEngine(options.force);
  if (forced !== undefined) {
    const [name, by] = forced;
    try {
      const what = await startEngine(name, options);
      return { name, reason: `${name} (${what}), as ${by} wants`, backend: tf.getBackend() };
    } catch (error) {
      throw new EngineError(
        `The engine "${name}", wanted by ${by}, does not work here: ${(error as Error).message}`,
        {
          cause: error,
        },
      );
    }
  }
  const passed: string[] = [];
  let broken: string | undefined;
  for (const name of engineNames) {
    try {
      const what = await startEngine(name, options);
      if (broken !== undefined)
        (options.onWarning ?? console.warn)(
          `The native engine is installed but does not work, so training takes ${name}, which is slower: ${broken}`,
        );
      const why =
        passed.length === 0 ? 'the fastest engine there is' : `the fastest that works: ${passed.join('; ')}`;
      return { name, reason: `${name} (${what}): ${why}`, backend: tf.getBackend() };
    } catch (error) {
      // What nobody would expect to have is not worth a word in the reason.
      if (name === 'native' && !(error instanceof Unavailable)) broken = (error as Error).message;
      if (!(error instanceof Unavailable && error.silent))
        passed.push(`no ${name}, ${(error as Error).message}`);
    }
  }
  throw new EngineError(`No engine works here: ${passed.join('; ')}`);
}

function forcedEngine(option: string | undefined): [EngineName, string] | undefined {
  const environment = process.env['HYPETUNE_ENGINE'];
  const [name, by] = option !== undefined ? [option, 'the option'] : [environment, 'HYPETUNE_ENGINE'];
  if (name === undefined || name === '' || name === 'auto') return undefined;
  const known = engineNames.find((engine) => engine === name);
  if (known === undefined)
    throw new EngineError(`There is no engine "${name}" (${by}); there is auto, ${engineNames.join(', ')}.`);
  return [known, by];
}

/** Why an engine cannot be started; `silent` if that is the usual state of a machine. */
class Unavailable extends Error {
  constructor(
    message: string,
    readonly silent = false,
  ) {
    super(message);
  }
}

/** Makes an engine tfjs's backend and says what it is. Throws the reason if it does not work. */
export async function startEngine(name: EngineName, options: ChooseOptions = {}): Promise<string> {
  const what = await starters[name](options);
  const two = tf.tidy(() => tf.add(tf.tensor1d([1]), tf.tensor1d([1])).dataSync()[0]);
  if (two !== 2) throw new Unavailable(`it computes 1 + 1 = ${two}`);
  return what;
}

const starters: Record<EngineName, (options: ChooseOptions) => Promise<string>> = {
  pjrt: startPjrt,
  native: startNative,
  'tfjs-node-gpu': () => startAddon('@tensorflow/tfjs-node-gpu'),
  'tfjs-node': () => startAddon('@tensorflow/tfjs-node'),
  wasm: async ({ threads }) => {
    const count = await useWasm(threads === undefined ? {} : { threads });
    return `WebAssembly, ${count} thread${count === 1 ? '' : 's'}`;
  },
  cpu: async () => {
    await import('@tensorflow/tfjs-backend-cpu');
    await setBackend('cpu');
    // The backend would print an advertisement for tfjs-node.
    (tf.backend() as unknown as { firstUse: boolean }).firstUse = false;
    return 'plain JavaScript';
  },
};

async function setBackend(name: string): Promise<void> {
  if (!(await tf.setBackend(name))) throw new Unavailable(`tfjs cannot start its backend "${name}"`);
  await tf.ready();
}

const isRegistered = (name: string): boolean => (tf.findBackendFactory(name) as unknown) !== null;

let client: Client | undefined;

/** The plugin that HYPETUNE_PJRT_PLUGIN names, else the one for the NVIDIA GPU of this machine. */
async function startPjrt(options: ChooseOptions): Promise<string> {
  const plugin = await findPlugin(options);
  if (plugin === undefined)
    throw hasNvidiaGpu()
      ? new Unavailable('it is not installed ("hypetune engine install --cuda" does that)')
      : new Unavailable(
          'there is no NVIDIA GPU, and HYPETUNE_PJRT_PLUGIN names no plugin of another device',
          true,
        );
  if (client?.path !== plugin.path) {
    if (isRegistered('pjrt')) tf.removeBackend('pjrt');
    client = new Client(plugin.path, plugin.options);
  }
  if (!isRegistered('pjrt'))
    registerPjrtBackend(client, {
      programs: cacheFolder(options.cacheFolder),
      settings: plugin.settings,
      tf32: process.env['HYPETUNE_TF32'] === '1',
    });
  provideTypeNumbers('pjrt');
  await setBackend('pjrt');
  return `XLA through PJRT ${client.plugin.version}, ${client.platform}, ${client.deviceKind}`;
}

let native: { what: string; backend: tf.KernelBackend } | undefined;

async function startNative(options: ChooseOptions): Promise<string> {
  // The engine on a plugin may stand in under this name.
  if (native !== undefined && isRegistered('tensorflow') && tf.findBackend('tensorflow') === native.backend) {
    await setBackend('tensorflow');
    return native.what;
  }
  const engine = await findEngine(options);
  keepPrograms(cacheFolder(options.cacheFolder), engine.version);
  const library = loadLibrary(engine.paths);
  if (isRegistered('tensorflow')) tf.removeBackend('tensorflow');
  registerNativeBackend(library);
  await setBackend('tensorflow');
  registerMissingKernels('tensorflow', tf.backend());
  const where = engine.source === 'python' ? "Python's" : 'installed';
  native = { what: `TensorFlow ${library.version}, ${where}, CPU`, backend: tf.backend() };
  return native.what;
}

/** The installed engine: of the cache, else Python's. */
async function findEngine(options: ChooseOptions): Promise<EngineInstall> {
  let engines: EngineInstall[];
  try {
    engines = await listEngines(options);
  } catch (error) {
    if (!(error instanceof InstallError)) throw error;
    throw new Unavailable(error.message);
  }
  const engine = engines.find(({ cuda }) => !cuda) ?? engines[0];
  if (engine === undefined)
    throw new Unavailable('it is not installed ("hypetune engine install" does that)');
  return engine;
}

async function startAddon(name: string): Promise<string> {
  const require = createRequire(import.meta.url);
  let folder: string;
  try {
    folder = dirname(require.resolve(`${name}/package.json`));
  } catch {
    throw new Unavailable(`${name} is not installed`, true);
  }
  const addon = existsSync(join(folder, 'lib'))
    ? readdirSync(join(folder, 'lib')).find((entry) =>
        existsSync(join(folder, 'lib', entry, 'tfjs_binding.node')),
      )
    : undefined;
  if (addon === undefined) throw new Unavailable(`${name} is there without its addon`, true);
  if (native !== undefined) throw new Unavailable('another TensorFlow is loaded in this process already');
  // tfjs-node calls what Node 23 removed.
  const legacy = util as unknown as Record<string, unknown>;
  legacy['isNullOrUndefined'] ??= (value: unknown): boolean => value === null || value === undefined;
  if (isRegistered('tensorflow')) tf.removeBackend('tensorflow');
  require(name);
  await setBackend('tensorflow');
  return `${name}'s own addon`;
}
