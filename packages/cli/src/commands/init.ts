import type { Command } from 'commander';
import { initFolder } from '../init.js';
import { print, printResult, type Terminal } from '../terminal.js';
import { version } from '../version.js';
import { jsonFlag } from './flags.js';

export function addInit(program: Command, terminal: Terminal): void {
  program
    .command('init')
    .description('make a config, a sample of data and npm scripts to start with')
    .argument('[folder]', 'where (default: here)')
    .addOption(jsonFlag())
    .action(async (folder: string | undefined, { json }: { json?: true }) => {
      const written = await initFolder(folder ?? '.', version);
      printResult(terminal, json, { written }, () => {
        for (const file of written) print(terminal, file);
        const enter = folder === undefined ? '' : `cd ${folder} && `;
        print(terminal, `next: ${enter}npm install && npx hypetune engine install && npm run train`);
      });
    });
}
