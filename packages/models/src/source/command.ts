import { spawn } from 'node:child_process';

const MAX_REASON = 400;

/** How a command ran; `code` is its exit status, `undefined` where it could not be started. */
export interface CommandResult {
  readonly code: number | undefined;
  readonly output: string;
  /** What its output says of a failure. */
  readonly reason: string;
}

/** What a command runs in. */
export interface CommandOptions {
  readonly folder: string;
  readonly environment?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Called with each piece of its output. */
  readonly onOutput?: (text: string) => void;
}

/** Runs a command to its end. An abort kills it and throws the signal's reason. */
export async function runCommand(
  command: string,
  args: readonly string[],
  options: CommandOptions,
): Promise<CommandResult> {
  const { folder, environment, signal, onOutput } = options;
  signal?.throwIfAborted();
  const result = await new Promise<CommandResult>((resolve) => {
    const child = spawn(command, args, {
      cwd: folder,
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
      shell: process.platform === 'win32', // npm is a script there; the arguments are checked names
    });
    const kill = (): void => void child.kill();
    signal?.addEventListener('abort', kill, { once: true });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text;
        onOutput?.(text);
      });
    }
    const finish = (code: number | undefined, reason: string): void => {
      signal?.removeEventListener('abort', kill);
      resolve({ code, output, reason });
    };
    child.once('error', (error) => {
      finish(undefined, error.message);
    });
    child.once('close', (code) => {
      finish(code ?? 1, reasonOf(output));
    });
  });
  signal?.throwIfAborted();
  return result;
}

/** The first two lines that speak of an error, else the last line. */
function reasonOf(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
  const errors = lines.filter((line) => /error/i.test(line)).slice(0, 2);
  return (errors.length > 0 ? errors.join('; ') : (lines.at(-1) ?? '')).slice(0, MAX_REASON);
}
