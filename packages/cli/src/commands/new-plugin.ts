import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { checkoutAbove, newPlugin } from '../new-plugin.js';
import { print, type Terminal } from '../terminal.js';

export function addNewPlugin(program: Command, terminal: Terminal): void {
  program
    .command('new-plugin')
    .description('make a package for a method of your own, with tests that pass')
    .argument('<name>', 'kebab-case, as my-noise')
    .option('--folder <folder>', 'where to make it (default: packages/<name> in a checkout, else <name>)')
    .action((name: string, { folder }: { folder?: string }) => {
      const inCheckout = join('packages', name);
      const target = folder ?? (checkoutAbove(inCheckout) === undefined ? name : inCheckout);
      for (const file of newPlugin(target, name)) print(terminal, relative('.', file));
    });
}
