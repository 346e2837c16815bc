import { fork, type ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Job, Reply } from './bench-rounds-worker.js';

/** A process that trains as a job says, a round whenever it is asked. */
export class TrainerProcess {
  readonly #child: ChildProcess;

  constructor(job: Job) {
    const script = fileURLToPath(new URL('bench-rounds-worker.ts', import.meta.url));
    this.#child = fork(script, [JSON.stringify(job)], {
      execArgv: ['--conditions=@hypetune/source', '--import', 'tsx'],
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
  }

  /** What the process says next; throws when it ends instead. */
  reply(): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const gone = (): void => {
        reject(new Error('the process ended'));
      };
      this.#child.once('exit', gone);
      this.#child.once('message', (message) => {
        this.#child.off('exit', gone);
        resolve(message as Reply);
      });
    });
  }

  round(): Promise<Reply> {
    const answer = this.reply();
    this.#child.send('round');
    return answer;
  }

  stop(): void {
    this.#child.kill();
  }
}
