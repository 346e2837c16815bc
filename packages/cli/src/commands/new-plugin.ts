import { join, relative } from 'node:path';
import type { Command } from 'commander';
import { checkoutAbove, newPlugin } from '../new-plugin.js';
import { print, printResult, type Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

export function addNewPlugin(program: Command, terminal: Terminal): void {
  program
    .command('new-plugin')
    .description('make a package for a method of your own, with tests that pass')
    .argument('<name>', 'kebab-case, as my-noise')
    .option('--folder <folder>', 'where to make it (default: packages/<name> in a checkout, else <name>)')
    .addOption(jsonFlag())
    .action((name: string, { folder, json }: { folder?: string; json?: true }) => {
      const inCheckout = join('packages', name);
      const target = folder ?? (checkoutAbove(inCheckout) === undefined ? name : inCheckout);
      const written = newPlugin(target, name).map((file) => relative('.', file));
      printResult(terminal, json, { written }, () => {
        for (const file of written) print(terminal, file);
      });
    });
}
