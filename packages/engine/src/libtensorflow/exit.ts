let installed = false;

/**
 * Makes the process end without running C++ destructors: TensorFlow's crash at a natural exit, when its threads still
 * run. Handlers that the program adds after this one are called first, as if this one were the last.
 */
export function leaveThroughReallyExit(): void {
  if (installed) return;
  installed = true;
  const leave = (code: number): void => {
    const handlers = process.rawListeners('exit') as ((code: number) => void)[];
    for (const handler of handlers.slice(handlers.indexOf(leave) + 1)) handler.call(process, code);
    (process as unknown as { reallyExit(code: number): never }).reallyExit(Number(process.exitCode ?? code));
  };
  process.on('exit', leave);
}
