import type { Command } from 'commander';
import { mergeStores } from '../store/merge.js';
import { note, print, printResult, type Terminal } from '../terminal.js';
import { jsonFlag } from './flags.js';

export function addMerge(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('merge')
    .description('join stores of runs, and say where a run done twice did not give the same')
    .argument('<stores...>', 'folders that compare --store filled')
    .requiredOption('--out <folder>', 'the joined store; what it holds already stays')
    .addOption(jsonFlag())
    .action(async (folders: readonly string[], { out, json }: { readonly out: string; json?: true }) => {
      const merged = await mergeStores(folders, out);
      const { runs, twice, disagreements } = merged;
      printResult(terminal, json, merged, () => {
        print(terminal, `${runs} runs in ${out}; ${twice} were in more than one store`);
      });
      for (const { key, file, line, texts, machines } of disagreements) {
        note(terminal, `not the same twice: runs/${key}/${file}, line ${line}; the first stays`);
        for (const place of [0, 1] as const)
          note(terminal, `  ${machines[place]}: ${texts[place].trim().slice(0, 160)}`);
      }
      done(disagreements.length > 0 ? 1 : 0);
    });
}
