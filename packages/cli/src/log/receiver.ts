import type { CurveLog, LoggedRun, RunEnd } from './curve-log.js';
import { scalarsOf } from './scalars.js';
import type { Scalar } from './tensorboard.js';

/** A number with the time at which it was told, in milliseconds. */
export interface TimedScalar extends Scalar {
  readonly time: number;
}

/** A service that takes the curves of runs over HTTP. */
export interface Receiver {
  /** What it is called in warnings: never more of its address than the host. */
  readonly name: string;
  /** Makes a run there, or goes on with one; its id. */
  start(run: LoggedRun, id: string | undefined): Promise<string>;
  send(id: string, run: LoggedRun, scalars: readonly TimedScalar[]): Promise<void>;
  end(id: string, run: LoggedRun, end: RunEnd): Promise<void>;
}

/** Milliseconds between two sendings, numbers of one, and milliseconds that an answer may take. */
const [EVERY, MOST, PATIENCE] = [2000, 500, 20_000];

/**
 * A curve sent to a service in batches, in order, while the run goes on without waiting. A service that fails is a warning, and
 * gets nothing more: the run is not its business. `keepId` gets the id of the run there.
 */
export function receiverLog(
  receiver: Receiver,
  run: LoggedRun,
  id: string | undefined,
  keepId: (id: string) => void,
): CurveLog {
  let broken = false;
  let waiting: TimedScalar[] = [];
  let last = Date.now();
  let own = '';
  const work = async (step: () => Promise<void>): Promise<void> => {
    if (broken) return;
    try {
      await step();
    } catch (error) {
      broken = true;
      const { message, cause } = error as Error;
      run.onWarning(
        `${receiver.name} takes no log any more: ${cause instanceof Error ? cause.message : message}`,
      );
    }
  };
  let chain = work(async () => {
    own = await receiver.start(run, id);
    keepId(own);
  });
  const flush = (): void => {
    const batch = waiting;
    [waiting, last] = [[], Date.now()];
    if (batch.length > 0) chain = chain.then(() => work(() => receiver.send(own, run, batch)));
  };
  return {
    line: (line) => {
      const time = Date.now();
      waiting.push(...scalarsOf(line).map((scalar) => ({ ...scalar, time })));
      if (waiting.length >= MOST || time - last >= EVERY) flush();
    },
    close: async (end) => {
      flush();
      await chain;
      await work(() => receiver.end(own, run, end));
    },
  };
}

/** How often something is sent, and milliseconds before it is sent again. */
const [TRIES, PAUSE] = [3, 500];

/** Posts JSON, or gets, and reads the JSON that comes back; tries again where there is no answer. Throws with what the service says. */
export async function askJson(
  address: string,
  body?: unknown,
  headers: Readonly<Record<string, string>> = {},
): Promise<unknown> {
  let response: Response | undefined;
  for (let attempt = 1; response === undefined; attempt += 1)
    try {
      response = await fetch(address, {
        ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
        // A connection that is kept may be closed by the other side just as it is used again.
        headers: { 'content-type': 'application/json', connection: 'close', ...headers },
        signal: AbortSignal.timeout(PATIENCE),
      });
    } catch (error) {
      if (attempt === TRIES) throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  const text = await response.text();
  if (!response.ok) throw new Error(`status ${response.status} ${text.slice(0, 300)}`.trim());
  return JSON.parse(text === '' ? '{}' : text);
}

/** A number as JSON has it; NaN and the infinities by name. */
export const jsonNumber = (value: number): number | string =>
  Number.isFinite(value) ? value : String(value);
