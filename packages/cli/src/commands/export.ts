import { HypetuneError } from '@hypetune/core';
import { chooseEngine } from '@hypetune/engine';
import { loadModel } from '@hypetune/models';
import { PRECISION_FILES, type Precision } from '@hypetune/onnx';
import type { Command } from 'commander';
import { checkApart, checkOutput } from '../atomic.js';
import { DEFAULT_PRECISIONS, exportModel } from '../export/export-model.js';
import { onInterrupt } from '../interrupt.js';
import { holdsRun, readRun } from '../run-folder.js';
import { noteUnfinished, savedTask, type SavedTask } from '../saved-model.js';
import { note, print, type Terminal } from '../terminal.js';
import { jsonFlag, listFlag } from './flags.js';

interface ExportFlags {
  readonly out: string;
  readonly dtype: readonly string[];
  readonly force?: true;
  readonly json?: true;
}

export function addExport(program: Command, terminal: Terminal, done: (code: number) => void): void {
  program
    .command('export')
    .description(
      'write a run, or a classifier that transformers saved, for transformers.js, ONNX and servers',
    )
    .argument('<run>', 'folder of the run or model')
    .requiredOption('--out <folder>', 'where the folder for other programs goes')
    .option('--dtype <list>', 'ONNX graphs to write, of fp32, fp16, q8', listFlag, [...DEFAULT_PRECISIONS])
    .option('--force', 'replace what is in --out')
    .addOption(jsonFlag())
    .action(async (folder: string, flags: ExportFlags) => {
      done(await exportRun(folder, flags, terminal));
    });
}

async function exportRun(folder: string, flags: ExportFlags, terminal: Terminal): Promise<number> {
  const precisions = [...new Set(flags.dtype.map(precision))];
  const saved = await savedTask(folder);
  const record = (await holdsRun(folder)) ? await readRun(folder) : undefined;
  noteUnfinished(terminal, folder, saved);
  await checkApart(flags.out, '--out', folder);
  await checkOutput(flags.out, flags.force === true);
  const interrupt = onInterrupt(terminal, 'stopping after this file, with nothing written');
  // Nothing is computed: weights are read and written.
  await chooseEngine({ force: 'cpu' });
  const { model, head } = await loadModel(folder, { config: problemOf(saved) });
  try {
    if (head.head === 'new')
      throw new HypetuneError(
        `${folder}: the checkpoint has no classifier; train one by hypetune train --model.`,
      );
    const { maxLength } = saved;
    const { signal } = interrupt;
    await exportModel(flags.out, { model, tokenizer: folder, maxLength, record, precisions, signal });
  } finally {
    model.dispose();
    interrupt.release();
  }
  note(terminal, `exported to ${flags.out}`);
  if (flags.json) print(terminal, JSON.stringify({ exported: flags.out, dtype: precisions }, null, 2));
  return 0;
}

/** What config.json has to say, so that programs that know nothing else decide as `hypetune predict`. */
function problemOf({ kind }: SavedTask): Record<string, unknown> {
  const problems = {
    classification: 'single_label_classification',
    'multi-label': 'multi_label_classification',
    regression: 'regression',
  } as const;
  return kind === 'token-classification' ? {} : { problem_type: problems[kind] };
}

function precision(name: string): Precision {
  if (Object.hasOwn(PRECISION_FILES, name)) return name as Precision;
  throw new HypetuneError(
    `--dtype: there is no '${name}'; there are ${Object.keys(PRECISION_FILES).join(', ')}.`,
  );
}
