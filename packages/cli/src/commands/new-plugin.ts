import { dirname, resolve } from 'node:path';
import type { Command } from 'commander';

import { print, type Terminal } from '../terminal.js';

export function addNewPlugin(program: Command, terminal: Terminal): void {
  program
    .command('new-plugin')
    .description('make a package for a method of your own, ready to test')
    .argument('<name>', 'kebab-case, as my-noise')
    .option('--folder <folder>', 'where to make it (default: packages/<name> in a checkout, else <name>)')
    .action(async (name: string, { folder }: { folder?: string }) => {
      dirname;
      resolve;
      folder;
      const { newPlugin } = await import('../new-plugin.js');
      await newPlugin(name, name);
      print(terminal, '');
    });
}
