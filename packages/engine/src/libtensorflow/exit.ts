import { writeSync } from 'node:fs';
import { inspect } from 'node:util';

let installed = false;

/**
 * Makes the process end without running C++ destructors: TensorFlow's crash at a natural exit, when its threads still
 * run. Handlers that the program adds after this one are called first, as if this one were the last. An error that nobody
 * caught is printed here, since Node.js would do so only afterwards.
 */
export function leaveThroughReallyExit(): void {
  if (installed) return;
  installed = true;
  let uncaught: { readonly error: unknown } | undefined;
  process.on('uncaughtExceptionMonitor', (error: unknown) => {
    if (process.listenerCount('uncaughtException') === 0) uncaught = { error };
  });
  const leave = (code: number): void => {
    const handlers = process.rawListeners('exit') as ((code: number) => void)[];
    for (const handler of handlers.slice(handlers.indexOf(leave) + 1)) handler.call(process, code);
    if (uncaught !== undefined) writeSync(2, `Uncaught ${inspect(uncaught.error)}\n`);
    (process as unknown as { reallyExit(code: number): never }).reallyExit(Number(process.exitCode ?? code));
  };
  process.on('exit', leave);
}
