import { availableParallelism, cpus, totalmem } from 'node:os';
import * as tf from '@tensorflow/tfjs-core';
import { engineNames, startEngine } from './choose.js';
import { hasNvidiaGpu, nvidia, type NvidiaReport } from './install/nvidia.js';
import { listPlugins, type PluginInstall } from './install/plugins.js';
import type { ChooseOptions, EngineName } from './choose.js';
import { cacheFolder } from './install/cache.js';
import type { EngineInstall } from './install/cache.js';
import { findPythonEngine } from './install/python.js';
import { listEngines } from './install/install.js';
import { currentPlatform } from './install/release.js';
import { fusedMultiplyAdd } from './wasm/multiplier.js';

/** What the machine is, which engines work on it and why others do not. */
export interface DoctorReport {
  node: string;
  /** As `linux-x64`. */
  platform: string;
  processor: string;
  cores: number;
  memoryBytes: number;
  /** Undefined without an NVIDIA GPU. */
  nvidia: NvidiaReport | undefined;
  /** PJRT plugins at hand. */
  plugins: PluginInstall[];
  cacheFolder: string;
  installed: EngineInstall[];
  /** What the TensorFlow of Python is, or why there is none to use. */
  python: string;
  engines: { name: EngineName; works: boolean; reason: string }[];
  /** The engine that chooseEngine would take. */
  best: EngineName | undefined;
  /** What would make training faster, the most effective first. */
  advice: string[];
}

/** Starts each engine in turn and reports; tfjs's backend is afterwards what it was. */
export async function doctor(options: Omit<ChooseOptions, 'force'> = {}): Promise<DoctorReport> {
  const before = tf.engine().backendName as string | undefined;
  const engines: DoctorReport['engines'] = [];
  for (const name of engineNames) {
    try {
      engines.push({ name, works: true, reason: await startEngine(name, options) });
    } catch (error) {
      engines.push({ name, works: false, reason: (error as Error).message });
    }
  }
  if (before !== undefined) await tf.setBackend(before);
  const works = (name: EngineName): boolean => engines.some((engine) => engine.name === name && engine.works);
  const card = hasNvidiaGpu() ? nvidia() : undefined;
  const plugins = await listPlugins(options).catch(() => []);
  const best = engineNames.find(works);
  const advice: string[] = [];
  if (card !== undefined && !works('pjrt'))
    advice.push(
      plugins.some(({ device }) => device === 'cuda')
        ? `Mend the engine for the GPU; its plugin is there, but: ${engines.find(({ name }) => name === 'pjrt')!.reason}`
        : 'Use the GPU: "hypetune engine install --cuda".',
    );
  const installed = await listEngines(options).catch(() => []);
  if (!works('native') && !works('pjrt'))
    advice.push(
      installed.length === 0
        ? 'Install the native engine, 3 to 10 times faster than wasm: "hypetune engine install".'
        : `Mend the native engine, 3 to 10 times faster than wasm; it is installed, but: ${engines.find(({ name }) => name === 'native')!.reason}`,
    );
  if (best === 'wasm' && !fusedMultiplyAdd)
    advice.push(
      `Run on Node 22 or later, whose wasm multiplies and adds in one instruction (this is ${process.version}).`,
    );
  if (availableParallelism() === 1) advice.push('Give the process more than one processor core.');
  return {
    node: process.version,
    platform: currentPlatform(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryBytes: totalmem(),
    nvidia: card,
    plugins,
    cacheFolder: cacheFolder(options.cacheFolder),
    installed,
    python: await describePython(options.python ?? 'python3'),
    engines,
    best,
    advice,
  };
}

async function describePython(python: string): Promise<string> {
  try {
    const found = await findPythonEngine(python);
    return 'engine' in found ? `${python} has tensorflow ${found.engine.version}` : found.reason;
  } catch (error) {
    return (error as Error).message;
  }
}
