import type { Command } from 'commander';
import { configSchemaText } from '../config-schema.js';
import type { Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

export function addSchema(program: Command, terminal: Terminal): void {
  program
    .command('schema')
    .description('print the JSON schema of config files, for editors')
    .addOption(jsonFlag().hideHelp())
    .action(() => {
      terminal.out.write(configSchemaText());
    });
}
