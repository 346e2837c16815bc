import { HypetuneError } from '@hypetune/core';
import type { Command } from 'commander';
import { onInterrupt } from '../interrupt.js';
import { queueAddress } from '../queue/connection.js';
import { placeOf } from '../queue/queued-run.js';
import { work } from '../queue/work.js';
import { Store } from '../store/store.js';
import { print, printResult, type Terminal } from '../terminal.js';
import { jsonFlag, numberFlag, queueNameFlag, repeatedFlag, storeFlag } from './flags.js';

interface WorkerFlags {
  readonly store: string;
  readonly queueName: string;
  readonly burst?: true;
  readonly stalledAfter: number;
  readonly place: readonly string[];
  readonly json?: true;
}

/** Fewer than these seconds are less than a step may take. */
const LEAST_SECONDS = 2;

export function addWorker(program: Command, terminal: Terminal): void {
  program
    .command('worker')
    .description('do runs that compare --queue asks for, until a signal comes')
    .argument('<queue>', 'a Redis, as redis://localhost:6379')
    .addOption(
      storeFlag(
        'keep the runs and their checkpoints here; workers that share it go on where another was killed',
      ),
    )
    .addOption(queueNameFlag())
    .option('--burst', 'end when no run is left on the queue')
    .option(
      '--stalled-after <seconds>',
      'others take over what this worker does when it gave no sign of life for so long; more than its longest step',
      numberFlag,
      60,
    )
    .option(
      '--place <theirs=ours>',
      'where a folder of the machine that asks lies here, as /home/ada/data=/mnt/data',
      repeatedFlag,
      [],
    )
    .addOption(jsonFlag())
    .action(async (url: string, flags: WorkerFlags) => {
      const { burst = false, stalledAfter } = flags;
      if (!(stalledAfter >= LEAST_SECONDS))
        throw new HypetuneError(`--stalled-after: must be ${LEAST_SECONDS} or more, got ${stalledAfter}.`);
      const places = flags.place.map(placeOf);
      const address = queueAddress(url, flags.queueName);
      const interrupt = onInterrupt(terminal);
      try {
        const store = await Store.open(flags.store);
        const { signal } = interrupt;
        const { done, isOver } = await work(address, {
          store,
          terminal,
          signal,
          burst,
          stalledAfter,
          places,
        });
        printResult(terminal, flags.json, { done }, () => {
          print(terminal, `${done} runs done`);
        });
        if (!isOver) process.exit();
      } finally {
        interrupt.release();
      }
    });
}
