import { randomUUID } from 'node:crypto';
import { HypetuneError } from '@hypetune/core';
import type { LoggedRun } from './curve-log.js';
import { jsonNumber, askJson, type Receiver, type TimedScalar } from './receiver.js';

/**
 * Trackio, whose names and panels are those of Weights & Biases, by the HTTP API of its dashboard: TRACKIO_SERVER_URL says where, with
 * its `write_token` or that in TRACKIO_WRITE_TOKEN, TRACKIO_PROJECT which project (`hypetune` unless given). Throws where there is
 * no address.
 */
export function trackio(environment: NodeJS.ProcessEnv = process.env): Receiver {
  const given = environment.TRACKIO_SERVER_URL ?? '';
  if (!/^https?:/.test(given) || !URL.canParse(given))
    throw new HypetuneError(
      '--log trackio: set TRACKIO_SERVER_URL to the address that `trackio show` prints, its write_token with it.',
    );
  const address = new URL(given);
  const token = address.searchParams.get('write_token') ?? environment.TRACKIO_WRITE_TOKEN;
  const project = environment.TRACKIO_PROJECT ?? 'hypetune';
  const api = `${address.origin}${address.pathname.replace(/\/+$/, '')}/api/bulk_log`;
  const log = async (
    run_id: string,
    { name: run }: LoggedRun,
    entries: readonly { readonly step: number; readonly metrics: object; readonly config?: object }[],
  ): Promise<void> => {
    const logs = entries.map((entry) => ({ ...entry, project, run, run_id, log_id: randomUUID() }));
    const headers = token ? { 'x-trackio-write-token': token } : {};
    await askJson(api, { kwargs: { logs, hf_token: null } }, headers);
  };
  return {
    name: `Trackio at ${address.host}`,
    start: async (run, known) => {
      const id = known ?? randomUUID().replaceAll('-', '');
      if (known === undefined) await log(id, run, [{ step: 0, metrics: {}, config: run.params }]);
      return id;
    },
    send: (id, run, scalars) => log(id, run, byStep(scalars)),
    end: async (id, run, { step, metrics }) => {
      if (Object.keys(metrics).length > 0)
        await log(id, run, [{ step, metrics: named(Object.entries(metrics)) }]);
    },
  };
}

const named = (values: readonly (readonly [tag: string, value: number])[]): Record<string, number | string> =>
  Object.fromEntries(values.map(([tag, value]) => [tag, jsonNumber(value)]));

/** The numbers of a step stand together. */
function byStep(scalars: readonly TimedScalar[]): { step: number; metrics: object }[] {
  const steps = [...new Set(scalars.map(({ step }) => step))];
  return steps.map((step) => ({
    step,
    metrics: named(
      scalars.filter((scalar) => scalar.step === step).map(({ tag, value }) => [tag, value] as const),
    ),
  }));
}
