import { installEngine, installPlugin, listEngines, listPlugins, removeEngine } from '@hypetune/engine';
import type { Command } from 'commander';
import { showBytes } from '../download.js';
import { startEngine } from '../engine.js';
import { onInterrupt } from '../interrupt.js';
import { note, print, printResult, type Terminal } from '../terminal.js';
import { printDoctor } from './doctor.js';
import { jsonFlag } from './flags.js';

export function addEngine(program: Command, terminal: Terminal): void {
  const engine = program.command('engine').description('install, list, remove or check the native engine');
  engine
    .command('install')
    .description("make TensorFlow's own library available: Python's, or a download of 274 MB")
    .option('--cuda', "XLA's plugin for NVIDIA GPUs instead: that of Python's JAX, or a download of some GB")
    .addOption(jsonFlag())
    .action(async ({ cuda = false, json }: { cuda?: boolean; json?: true }) => {
      const interrupt = onInterrupt(terminal);
      const display = showBytes(terminal);
      try {
        const installed = await (cuda ? installPlugin : installEngine)({
          signal: interrupt.signal,
          onProgress: ({ stage, what, bytes, totalBytes }) => {
            display.update(`${stage} ${what}`, bytes, totalBytes);
          },
        });
        display.stop();
        printResult(terminal, json, installed, () => {
          print(
            terminal,
            `${installed.name}: ${cuda ? 'PJRT plugin' : 'TensorFlow'} ${installed.version} in ${installed.folder}`,
          );
        });
      } finally {
        display.stop();
        interrupt.release();
      }
    });
  engine
    .command('list')
    .description('the native engines there are')
    .addOption(jsonFlag())
    .action(async ({ json }: { json?: true }) => {
      const engines = await listEngines();
      const plugins = await listPlugins();
      if (engines.length === 0 && plugins.length === 0)
        note(terminal, 'none; install one by: hypetune engine install');
      if (json) {
        print(terminal, JSON.stringify([...engines, ...plugins], null, 2));
        return;
      }
      for (const { name, version, cuda, folder, bytes } of engines)
        print(
          terminal,
          `${name}  TensorFlow ${version}${cuda ? ' with CUDA' : ''}  ${Math.round(bytes / 1e6)} MB  ${folder}`,
        );
      for (const { name, version, device, folder, bytes } of plugins)
        print(
          terminal,
          `${name}  PJRT plugin ${version} for ${device}  ${Math.round(bytes / 1e6)} MB  ${folder}`,
        );
    });
  engine
    .command('remove')
    .description('remove a native engine from the cache')
    .argument('<name>', 'as engine list shows it')
    .addOption(jsonFlag())
    .action(async (name: string, { json }: { json?: true }) => {
      await removeEngine(name);
      printResult(terminal, json, { removed: name }, () => {
        print(terminal, `${name} is removed`);
      });
    });
  engine
    .command('choose')
    .description('print the engine that training would take; why goes to the error stream')
    .addOption(jsonFlag())
    .action(async ({ json }: { json?: true }) => {
      const engine = await startEngine(terminal, undefined);
      printResult(terminal, json, { engine }, () => {
        print(terminal, engine);
      });
    });
  engine
    .command('doctor')
    .description('check the engines')
    .addOption(jsonFlag())
    .action(async ({ json }: { json?: true }) => {
      await printDoctor(terminal, json);
    });
}
