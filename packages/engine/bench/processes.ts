import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';

/** Some steps in a row: milliseconds of each, the same over all processors, JavaScript's part of each, the last loss, peak memory in MiB. */
export interface Round {
  ms: number[];
  cpu: number[];
  script: number[];
  loss: number;
  peak: number;
}

/** A child process that does steps when it is told to. */
export class Worker {
  readonly engine: string;
  errors = '';
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;

  constructor(engine: string, command: string, parameters: readonly string[]) {
    this.engine = engine;
    this.#child = spawn(command, parameters, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => (this.errors += String(error)));
    this.#child.stderr!.on('data', (text) => (this.errors += String(text)));
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Waits until the process has warmed up; false if it ends instead. */
  async ready(): Promise<boolean> {
    for (;;) {
      const line = await this.#lines.next();
      if (line.done === true) return false;
      if (line.value === 'ready') return true;
    }
  }

  async run(steps: number): Promise<Round> {
    this.#child.stdin!.write(`${steps}\n`);
    const line = await this.#lines.next();
    if (line.done === true) throw new Error(`${this.engine} ended: ${this.errors}`);
    return JSON.parse(line.value) as Round;
  }

  stop(): void {
    this.#child.stdin!.end();
  }
}
