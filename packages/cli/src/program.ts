import { HypetuneError } from '@hypetune/core';
import { SourceError } from '@hypetune/models';
import { Command, CommanderError } from 'commander';
import { addCompare } from './commands/compare.js';
import { addCompletion } from './commands/completion.js';
import { addDoctor } from './commands/doctor.js';
import { addEngine } from './commands/engine.js';
import { addEvaluate } from './commands/evaluate.js';
import { addExport } from './commands/export.js';
import { addFetch } from './commands/fetch.js';
import { addInit } from './commands/init.js';
import { addMerge } from './commands/merge.js';
import { addMethods } from './commands/methods.js';
import { addNewPlugin } from './commands/new-plugin.js';
import { addPredict } from './commands/predict.js';
import { addProbe } from './commands/probe.js';
import { addPush } from './commands/push.js';
import { addReport } from './commands/report.js';
import { addSchema } from './commands/schema.js';
import { addSimilarity } from './commands/similarity.js';
import { addTrain } from './commands/train.js';
import { addVerify } from './commands/verify.js';
import { addWatch } from './commands/watch.js';
import { addWorker } from './commands/worker.js';
import { Interrupted } from './interrupt.js';
import { ourName } from './other-names.js';
import { note, type Terminal } from './terminal.js';
import { version } from './version.js';

/** The command `hypetune`: runs it with these arguments and returns its exit code. Mistakes are one line on the error stream. */
export async function main(argv: readonly string[], terminal: Terminal): Promise<number> {
  let code = 0;
  const done = (result: number): void => {
    code = result;
  };
  const program = new Command('hypetune')
    .description('Regularized fine-tuning of pre-trained Transformers')
    .version(version, '-V, --version', 'print the version')
    // On a narrow terminal a short column of text beats lines that run over.
    .configureHelp({ minWidthToWrap: 16 })
    .exitOverride()
    .configureOutput({
      writeOut: (text) => terminal.out.write(text),
      writeErr: (text) => terminal.error.write(text),
      outputError: (text, write) => {
        write(`${withOurName(text.trim().replace(/\s*\n\s*/g, ' '))}\n`);
      },
    });
  addTrain(program, terminal, done);
  addCompare(program, terminal, done);
  addMerge(program, terminal, done);
  addVerify(program, terminal, done);
  addWatch(program, terminal);
  addWorker(program, terminal);
  addPredict(program, terminal, done);
  addEvaluate(program, terminal, done);
  addProbe(program, terminal);
  addSimilarity(program, terminal);
  addExport(program, terminal, done);
  addPush(program, terminal);
  addReport(program, terminal);
  addMethods(program, terminal);
  addSchema(program, terminal);
  addDoctor(program, terminal);
  addEngine(program, terminal);
  addFetch(program, terminal);
  addNewPlugin(program, terminal);
  addInit(program, terminal);
  addCompletion(program, terminal);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode;
    if (error instanceof Interrupted) {
      note(terminal, error.message);
      return 130;
    }
    note(terminal, `error: ${messageOf(error)}`);
    if (process.env.HYPETUNE_DEBUG && error instanceof Error) note(terminal, error.stack ?? '');
    return 1;
  }
}

/** An unknown option of another trainer with ours for it. */
function withOurName(text: string): string {
  const [, flag] = /unknown option '--([^']+)'(?!.*Did you mean)/.exec(text) ?? [];
  const ours = flag === undefined ? undefined : ourName(flag);
  return ours === undefined ? text : `${text} (here it is --${ours})`;
}

/** One line, but for a source out of reach, which lists what was tried. */
function messageOf(error: unknown): string {
  if (error instanceof SourceError) return error.message;
  const { message } = error instanceof Error ? error : new HypetuneError(String(error));
  return message.replace(/\s*\n\s*/g, ' ');
}
