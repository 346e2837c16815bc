/** Where a command writes: results to `out`, progress and notes to `error`. */
export interface Terminal {
  readonly out: TerminalStream;
  readonly error: TerminalStream;
}

export type TerminalStream = NodeJS.WritableStream & {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
};

/** Writes a line of a result. */
export function print(terminal: Terminal, text: string): void {
  terminal.out.write(`${text}\n`);
}

/** Writes a result: as JSON where that is asked for, else by `show`. */
export function printResult(
  terminal: Terminal,
  json: boolean | undefined,
  value: unknown,
  show: () => void,
): void {
  if (json) print(terminal, JSON.stringify(value, null, 2));
  else show();
}

/** Writes a line that is not part of the result. */
export function note(terminal: Terminal, text: string): void {
  terminal.error.write(`${text}\n`);
}

/** Notes each message once, however many runs say it. */
export function warnOnce(terminal: Terminal): (message: string) => void {
  const said = new Set<string>();
  return (message) => {
    if (!said.has(message)) note(terminal, `warning: ${message}`);
    said.add(message);
  };
}
