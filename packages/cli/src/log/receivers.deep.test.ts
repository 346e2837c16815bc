/** The services themselves, installed from PyPI: MLflow's server and Trackio's, told of runs and asked what they know. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { call } from '../../test/call.js';
import { freePort } from '../../test/free-port.js';
import { scratch } from '../../test/scratch.js';
import { sentiment, tinyFlags } from '../../test/tiny-model.js';

const VERSIONS = { mlflow: '3.17.2', trackio: '0.43.0' } as const;

const home = scratch();
const { write, folder } = home;
const children: ChildProcess[] = [];
let data: string[] = [];

/** A virtual environment with one package, made once and found again; its folder of programs. */
function installed(name: keyof typeof VERSIONS): string {
  const place = join(tmpdir(), 'hypetune-python', `${name}-${VERSIONS[name]}`);
  const programs = join(place, 'bin');
  if (existsSync(join(programs, name))) return programs;
  mkdirSync(place, { recursive: true });
  execFileSync(process.env.HYPETUNE_PYTHON ?? 'python3', ['-m', 'venv', place]);
  execFileSync(join(programs, 'pip'), ['install', '--quiet', `${name}==${VERSIONS[name]}`], {
    stdio: 'inherit',
  });
  return programs;
}

/** Starts a service in a group of its own and waits until it answers. */
async function serve(
  program: string,
  args: readonly string[],
  port: number,
  environment: object,
): Promise<void> {
  const env = { ...process.env, ...environment };
  children.push(spawn(program, args, { cwd: folder, env, stdio: 'ignore', detached: true }));
  for (let tries = 0; tries < 240; tries += 1) {
    const answers = await fetch(`http://127.0.0.1:${port}/`).then(
      () => true,
      () => false,
    );
    if (answers) return;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  throw new Error(`${program} does not answer`);
}

const scripts = { mlflow: '', trackio: '' };

beforeAll(async () => {
  [scripts.mlflow, scripts.trackio] = [installed('mlflow'), installed('trackio')];
  data = [
    ...(await tinyFlags(home, write('train.tsv', sentiment(24)))),
    '--epochs',
    '2',
    '--keep-best',
    'loss',
  ];
}, 900_000);

afterAll(() => {
  for (const { pid } of children) process.kill(-pid!, 'SIGTERM');
  vi.unstubAllEnvs();
});

test(
  'MLflow: runs of train and compare, their params, histories and states; a diverged run too',
  { timeout: 300_000 },
  async () => {
    const port = await freePort();
    const server = ['server', '--host', '127.0.0.1', '--port', String(port), '--workers', '1'];
    const database = `sqlite:///${folder}/mlflow.db`;
    await serve(join(scripts.mlflow, 'mlflow'), [...server, '--backend-store-uri', database], port, {});
    vi.stubEnv('MLFLOW_TRACKING_URI', `http://127.0.0.1:${port}`);
    vi.stubEnv('MLFLOW_EXPERIMENT_NAME', "an 'experiment'");
    const out = join(folder, 'mlflow-run');
    const { error } = await call('train', ...data, '--recipe', 'hype+r3f', '--log', 'mlflow', '--out', out);
    expect(error).not.toContain('takes no log');
    const store = join(folder, 'mlflow-store');
    const told = [
      '--recipes',
      'vanilla,hype',
      '--seeds',
      '1',
      '--option',
      'hype.scale=1e38',
      '--store',
      store,
    ];
    expect((await call('compare', ...data, ...told, '--log', 'mlflow')).error).not.toContain('takes no log');
    const ask = async (path: string, body?: object): Promise<Record<string, unknown>> =>
      (await (
        await fetch(`http://127.0.0.1:${port}/api/2.0/mlflow/${path}`, {
          ...(body && {
            method: 'POST',
            body: JSON.stringify(body),
            headers: { 'content-type': 'application/json' },
          }),
        })
      ).json()) as Record<string, unknown>;
    const { experiments } = await ask('experiments/search', { max_results: 10 });
    const [own] = (experiments as { name: string; experiment_id: string }[]).filter(
      ({ name }) => name === "an 'experiment'",
    );
    const { runs } = (await ask('runs/search', { experiment_ids: [own!.experiment_id] })) as {
      runs: {
        info: { run_id: string; run_name: string; status: string };
        data: { params: { key: string; value: string }[]; metrics: { key: string; value: number }[] };
      }[];
    };
    const found = Object.fromEntries(runs.map((run) => [run.info.run_name, run]));
    const trained = found['train.tsv hype+r3f seed 0']!;
    expect(trained.info.status).toBe('FINISHED');
    expect(trained.data.params).toContainEqual({ key: 'epochs', value: '2' });
    expect(trained.data.metrics.map(({ key }) => key)).toContain('validation/accuracy');
    const history = await ask(`metrics/get-history?run_id=${trained.info.run_id}&metric_key=train/loss`);
    const losses = (history.metrics as { step?: number; value: number }[]).map(({ step, value }) => [
      step,
      value,
    ]);
    expect(losses.map(([step]) => step)).toEqual([1, 2, 3, 4]);
    expect(Object.keys(found).sort()).toEqual([
      'train.tsv hype+r3f seed 0',
      'train.tsv-hype-seed-1',
      'train.tsv-vanilla-seed-1',
    ]);
    expect(found['train.tsv-vanilla-seed-1']!.info.status).toBe('FINISHED');
    expect(found['train.tsv-hype-seed-1']!.info.status).toBe('FAILED');
  },
);

test(
  'Trackio: a run, its settings and its curve, as its own reader has them',
  { timeout: 300_000 },
  async () => {
    const port = await freePort();
    const own = { TRACKIO_DIR: join(folder, 'trackio'), GRADIO_SERVER_PORT: String(port), BROWSER: 'true' };
    const token = { TRACKIO_WRITE_TOKEN: 'a-token' };
    await serve(join(scripts.trackio, 'trackio'), ['show', '--project', 'texts'], port, { ...own, ...token });
    vi.stubEnv('TRACKIO_SERVER_URL', `http://127.0.0.1:${port}/?project=texts&write_token=a-token`);
    vi.stubEnv('TRACKIO_PROJECT', 'texts');
    const log = ['--recipe', 'hype', '--log', 'trackio'];
    const { error } = await call('train', ...data, ...log, '--out', join(folder, 'trackio-run'));
    expect(error).not.toContain('takes no log');
    const read = `
import json, trackio
run, = trackio.Api().runs("texts")
from trackio.sqlite_storage import SQLiteStorage
print(json.dumps({"name": run.name, "config": SQLiteStorage.get_run_config("texts", run.name), "logs": SQLiteStorage.get_logs("texts", run.name)}))`;
    const printed = execFileSync(join(scripts.trackio, 'python'), ['-c', read], {
      encoding: 'utf8',
      env: { ...process.env, ...own },
    });
    const { name, config, logs } = JSON.parse(printed.trim().split('\n').at(-1)!) as {
      name: string;
      config: Record<string, string>;
      logs: Record<string, number>[];
    };
    expect(name).toBe('train.tsv hype seed 0');
    expect(config.epochs).toBe('2');
    const losses = logs.filter((row) => row['train/loss'] !== undefined);
    expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    expect(logs.at(-1)).toHaveProperty(['validation/accuracy']);
    vi.stubEnv('TRACKIO_SERVER_URL', `http://127.0.0.1:${port}/?write_token=wrong`);
    const refused = await call('train', ...data, ...log, '--out', join(folder, 'trackio-refused'));
    expect(refused.code).toBe(0);
    expect(refused.error).toMatch(/warning: Trackio at .* takes no log any more: status 400 .*write_token/);
  },
);
