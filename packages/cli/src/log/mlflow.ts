import { HypetuneError } from '@hypetune/core';
import { jsonNumber, askJson, type Receiver } from './receiver.js';

/** Params, or numbers, that MLflow takes at once, and characters of a param. */
const [PARAMS, METRICS, CHARACTERS] = [100, 1000, 6000];

/** Asks the server: posts where there is a body. */
type Call = (path: string, body?: unknown) => Promise<unknown>;

const STATUS = { finished: 'FINISHED', failed: 'FAILED', stopped: 'KILLED' } as const;

/**
 * MLflow's tracking server, by its REST API: MLFLOW_TRACKING_URI says where (http or https), MLFLOW_EXPERIMENT_NAME which experiment
 * (`hypetune` unless given), MLFLOW_TRACKING_TOKEN or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD how to get in. Throws
 * where there is no address.
 */
export function mlflow(environment: NodeJS.ProcessEnv = process.env): Receiver {
  const given = environment.MLFLOW_TRACKING_URI ?? '';
  if (!/^https?:/.test(given) || !URL.canParse(given))
    throw new HypetuneError(
      '--log mlflow: set MLFLOW_TRACKING_URI to the address of a tracking server, as http://localhost:5000.',
    );
  const experiment = environment.MLFLOW_EXPERIMENT_NAME ?? 'hypetune';
  const headers = authorization(environment);
  const call: Call = (path, body) =>
    askJson(`${given.replace(/\/+$/, '')}/api/2.0/mlflow/${path}`, body, headers);
  return {
    name: `MLflow at ${new URL(given).host}`,
    start: async ({ name, params }, id) => {
      if (id !== undefined) {
        await call('runs/update', { run_id: id, status: 'RUNNING' });
        return id;
      }
      const found = (await call('runs/create', {
        ...{ experiment_id: await experimentId(call, experiment), run_name: name, start_time: Date.now() },
        tags: [
          { key: 'mlflow.source.name', value: 'hypetune' },
          { key: 'mlflow.source.type', value: 'LOCAL' },
        ],
      })) as { run: { info: { run_id: string } } };
      const { run_id } = found.run.info;
      const all = Object.entries(params).map(([key, value]) => ({ key, value: value.slice(0, CHARACTERS) }));
      for (let place = 0; place < all.length; place += PARAMS)
        await call('runs/log-batch', { run_id, params: all.slice(place, place + PARAMS) });
      return run_id;
    },
    send: async (run_id, _, scalars) => {
      const all = scalars.map(({ tag, value, step, time }) => ({
        ...{ key: tag, value: jsonNumber(value), step, timestamp: time },
      }));
      for (let place = 0; place < all.length; place += METRICS)
        await call('runs/log-batch', { run_id, metrics: all.slice(place, place + METRICS) });
    },
    end: async (run_id, _, { status, step, metrics }) => {
      const timestamp = Date.now();
      const all = Object.entries(metrics).map(([key, value]) => ({
        ...{ key, value: jsonNumber(value), step, timestamp },
      }));
      if (all.length > 0) await call('runs/log-batch', { run_id, metrics: all });
      await call('runs/update', { run_id, status: STATUS[status], end_time: timestamp });
    },
  };
}

/** The id of an experiment, made if there is none. */
async function experimentId(call: Call, name: string): Promise<string> {
  try {
    return ((await call('experiments/create', { name })) as { experiment_id: string }).experiment_id;
  } catch (error) {
    if (!(error as Error).message.includes('RESOURCE_ALREADY_EXISTS')) throw error;
    const found = await call(`experiments/get-by-name?experiment_name=${encodeURIComponent(name)}`);
    return (found as { experiment: { experiment_id: string } }).experiment.experiment_id;
  }
}

function authorization({
  MLFLOW_TRACKING_TOKEN: token,
  MLFLOW_TRACKING_USERNAME: user,
  MLFLOW_TRACKING_PASSWORD: password = '',
}: NodeJS.ProcessEnv): Record<string, string> {
  if (token) return { authorization: `Bearer ${token}` };
  if (!user) return {};
  return { authorization: `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}` };
}
