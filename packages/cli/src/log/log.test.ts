import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import { call } from '../../test/call.js';
import { scratch } from '../../test/scratch.js';
import { sentiment, tinyModel } from '../../test/tiny-model.js';
import { fileStart, type Scalar, scalarRecord } from './tensorboard.js';

const home = scratch();
const { write, folder } = home;
const fixture = new URL('../../test/fixtures/tensorboard/', import.meta.url);
let data: string[] = [];
beforeAll(async () => {
  const table = write('train.tsv', sentiment(24));
  const model = await tinyModel(home);
  data = ['--train', table, '--validation', table, '--model', model, '--engine', 'cpu', '--epochs', '2'];
});

/** What the reader of Python's tensorboard found in `events`, as `read.py` wrote it. */
const { scalars } = JSON.parse(readFileSync(new URL('read.json', fixture), 'utf8')) as {
  scalars: (Scalar & { time: number })[];
};

test("the bytes are those that Python's tensorboard read", () => {
  const bytes = Buffer.concat([
    fileStart(1700000000.5),
    ...scalars.map(({ time, ...scalar }) => scalarRecord(time, scalar)),
  ]);
  const file = new URL('events', fixture);
  if (process.env.HYPETUNE_WRITE_FIXTURES) writeFileSync(file, bytes);
  expect(bytes.equals(readFileSync(file))).toBe(true);
  expect(scalars.map(({ tag }) => tag)).toContain('train/terms/r3f');
});

test('train and compare write logs while they run', async () => {
  const out = join(folder, 'run');
  const logs = ['--log', 'csv,jsonl,tensorboard'];
  const flags = [...data, '--recipe', 'hype+r3f', '--keep-best', 'loss', '--out', out];
  expect((await call('train', ...flags, ...logs)).error).toContain(`logs in ${out}.log`);
  const csv = readFileSync(join(`${out}.log`, 'curve.csv'), 'utf8')
    .trim()
    .split('\n');
  expect(csv[0]).toBe('step,epoch,name,value');
  expect(csv.filter((line) => line.includes(',train/terms/r3f,'))).toHaveLength(4);
  expect(csv.filter((line) => line.includes(',validation/accuracy,'))).toHaveLength(2);
  expect(readFileSync(join(`${out}.log`, 'curve.jsonl'), 'utf8')).toBe(
    readFileSync(join(out, 'history.jsonl'), 'utf8'),
  );
  expect(readdirSync(`${out}.log`).filter((name) => name.startsWith('events.out.tfevents.'))).toHaveLength(1);
  const store = join(folder, 'store');
  await call('compare', ...data, ...logs, '--recipes', 'vanilla,hype', '--seeds', '1', '--store', store);
  expect(readdirSync(join(store, 'logs')).sort()).toEqual([
    expect.stringMatching(/^train\.tsv-hype-seed-1-[0-9a-f]{8}$/),
    expect.stringMatching(/^train\.tsv-vanilla-seed-1-[0-9a-f]{8}$/),
  ]);
  expect((await call('train', ...data, ...logs)).error).toContain('--log: give --out a folder');
  expect((await call('compare', ...data, '--keep-last', '2')).error).toContain(
    '--keep-last: is for hypetune train',
  );
});

test('what is measured at the end alone is in the logs of scalars: validation rows without --keep-best, and test rows', async () => {
  const out = join(folder, 'measured');
  const flags = [...data, '--test', join(folder, 'train.tsv'), '--log', 'csv,tensorboard', '--out', out];
  expect((await call('train', ...flags)).code).toBe(0);
  const lines = readFileSync(join(`${out}.log`, 'curve.csv'), 'utf8')
    .trim()
    .split('\n');
  const last = lines
    .findLast((line) => line.includes(',train/loss,'))!
    .split(',')
    .slice(0, 2);
  for (const tag of ['validation/loss', 'validation/accuracy', 'test/loss', 'test/accuracy'])
    expect(lines.filter((line) => line.includes(`,${tag},`))).toEqual([
      expect.stringMatching(new RegExp(`^${last.join(',')},${tag},\\d`)),
    ]);
  const [events] = readdirSync(`${out}.log`).filter((name) => name.startsWith('events.'));
  const bytes = readFileSync(join(`${out}.log`, events!), 'latin1');
  for (const tag of ['validation/accuracy', 'test/accuracy']) expect(bytes.split(tag)).toHaveLength(2);
});

test('a file where logs are to lie is refused before any work, and only logs are replaced by logs', async () => {
  const out = join(folder, 'redirected');
  const flags = [...data, '--steps', '1', '--log', 'csv', '--out', out];
  const file = write('redirected.log', 'what the shell writes');
  const refused = await call('train', ...flags, '--train', join(folder, 'nowhere.tsv'));
  expect([refused.code, refused.error]).toEqual([1, expect.stringContaining(`--log: '${file}' is a file`)]);
  expect(readFileSync(file, 'utf8')).toBe('what the shell writes');
  rmSync(file);
  for (const name of ['notes.txt', 'curve.jsonl', 'mlflow-run', 'events.out.tfevents.1.host.2.3'])
    write(`redirected.log/${name}`, 'of an earlier run');
  expect((await call('train', ...flags)).code).toBe(0);
  expect(readdirSync(`${out}.log`).sort()).toEqual(['curve.csv', 'notes.txt']);
});

test('runs of one store have logs of their own: of tasks whose files share a name, of points of a grid, of other settings', async () => {
  const tables = ['good', 'great'].map((word) =>
    write(`${word}/rows.tsv`, sentiment(24).replaceAll('fine', word)),
  );
  const tasks = tables.map((table, place) => ({ name: `task-${place}`, train: table, validation: table }));
  const config = write('tasks.json', JSON.stringify({ tasks, grid: { limit: [8, 16] } }));
  const store = join(folder, 'many');
  const flags = [...data.slice(data.indexOf('--model')), '--log', 'csv', '--store', store];
  const compared = ['--recipes', 'vanilla', '--seeds', '1', '--steps', '1'];
  for (const rate of ['1e-3', '1e-4'])
    await call('compare', '--config', config, ...flags, ...compared, '--learning-rate', rate);
  const names = readdirSync(join(store, 'logs'));
  expect(new Set(names.map((name) => name.replace(/-[0-9a-f]{8}$/, '')))).toEqual(
    new Set(
      ['0', '1'].flatMap((task) => ['8', '16'].map((limit) => `task-${task}_limit=${limit}-vanilla-seed-1`)),
    ),
  );
  expect(names).toHaveLength(8);
});

test('logs of a recipe with a long name have a name that a disk takes', async () => {
  const recipes = [{ name: 'long '.repeat(80), plugins: [] }];
  const config = write('long.json', JSON.stringify({ recipes, seeds: 1 }));
  const store = join(folder, 'long');
  const flags = ['--config', config, '--store', store, '--steps', '1', '--log', 'csv'];
  expect((await call('compare', ...data, ...flags)).code).toBe(0);
  expect(readdirSync(join(store, 'logs'))).toEqual([
    expect.stringMatching(/^[\w.+=-]{180}-seed-1-[0-9a-f]{8}$/),
  ]);
});

afterEach(() => {
  vi.unstubAllEnvs();
});

interface Told {
  readonly path: string;
  readonly body: Record<string, never>;
  readonly token: string | undefined;
}

/** A service that answers every call with what both receivers read, and keeps what it was told. */
async function service(
  answer: () => number = () => 200,
): Promise<{ told: Told[]; port: number; stop: () => void }> {
  const told: Told[] = [];
  const server = createServer((request, response) => {
    let text = '';
    request.on('data', (part: Buffer) => (text += part.toString()));
    request.on('end', () => {
      const { 'x-trackio-write-token': write, authorization } = request.headers;
      const token = (write as string | undefined) ?? authorization;
      told.push({ path: request.url!, body: JSON.parse(text) as Told['body'], token });
      response.statusCode = answer();
      response.end(JSON.stringify({ experiment_id: '7', run: { info: { run_id: 'r1' } } }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { told, port: (server.address() as AddressInfo).port, stop: () => server.close() };
}

test('MLflow and Trackio get the run, its settings, its curve in order and its end', async () => {
  const { told, port, stop } = await service();
  vi.stubEnv('MLFLOW_TRACKING_URI', `http://127.0.0.1:${port}/base/`);
  vi.stubEnv('MLFLOW_TRACKING_TOKEN', 'secret');
  vi.stubEnv('TRACKIO_SERVER_URL', `http://127.0.0.1:${port}/?write_token=own`);
  const out = join(folder, 'told');
  const { error } = await call('train', ...data, '--log', 'mlflow,trackio', '--out', out);
  expect(error).not.toContain('takes no log');
  const sent = (path: string): Record<string, unknown>[] =>
    told.filter((call) => call.path === path).map(({ body }) => body);
  expect(told.map(({ token }) => token)).toContain('Bearer secret');
  const [run] = sent('/base/api/2.0/mlflow/runs/create');
  expect(run).toMatchObject({ experiment_id: '7', run_name: 'train.tsv hype seed 0' });
  const batches = sent('/base/api/2.0/mlflow/runs/log-batch') as {
    params?: { key: string; value: string }[];
    metrics?: { key: string; step: number; value: number; timestamp: number }[];
  }[];
  expect(batches[0]!.params).toContainEqual({ key: 'epochs', value: '2' });
  const metrics = batches.flatMap((batch) => batch.metrics ?? []);
  const losses = metrics.filter(({ key }) => key === 'train/loss');
  expect(losses.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
  expect(metrics.at(-1)!.step).toBe(4);
  expect(metrics.map(({ key }) => key)).toContain('validation/accuracy');
  expect(sent('/base/api/2.0/mlflow/runs/update')).toMatchObject([{ run_id: 'r1', status: 'FINISHED' }]);
  const entries = (
    sent('/api/bulk_log') as { kwargs: { logs: { step: number; metrics: object; config?: object }[] } }[]
  ).flatMap(({ kwargs }) => kwargs.logs);
  expect(entries[0]).toMatchObject({
    project: 'hypetune',
    run: 'train.tsv hype seed 0',
    config: { epochs: '2' },
  });
  expect(entries.find(({ step }) => step === 4)!.metrics).toHaveProperty(['train/learning_rate']);
  expect(told.filter(({ path }) => path === '/api/bulk_log').every(({ token }) => token === 'own')).toBe(
    true,
  );
  // A run that goes on does so there, and nothing is told twice.
  told.length = 0;
  const resumed = await call('train', '--resume', out, '--epochs', '3');
  expect(resumed.error).toContain('updates become 6');
  expect(told[0]).toMatchObject({
    path: '/base/api/2.0/mlflow/runs/update',
    body: { run_id: 'r1', status: 'RUNNING' },
  });
  expect(JSON.stringify(told.map(({ body }) => body))).not.toContain('"step":4,');
  stop();
});

test('a service that fails is one warning, and the run goes on', async () => {
  const { told, port, stop } = await service(() => 500);
  vi.stubEnv('MLFLOW_TRACKING_URI', `http://127.0.0.1:${port}`);
  const { code, error } = await call('train', ...data, '--log', 'mlflow', '--out', join(folder, 'down'));
  stop();
  expect(code).toBe(0);
  expect(error.match(/takes no log any more/g)).toHaveLength(1);
  expect(error).toContain(`warning: MLflow at 127.0.0.1:${port} takes no log any more: status 500`);
  expect(told).toHaveLength(1);
  vi.stubEnv('MLFLOW_TRACKING_URI', 'sqlite:///x');
  const refused = async (format: string): Promise<string> =>
    (await call('train', ...data, '--log', format, '--out', join(folder, 'none'))).error;
  expect(await refused('mlflow')).toContain('--log mlflow: set MLFLOW_TRACKING_URI to the address');
  expect(await refused('trackio')).toContain('--log trackio: set TRACKIO_SERVER_URL to the address');
  const store = ['--seeds', '2', '--store', join(folder, 'refused')];
  const compared = await call('compare', ...data, '--log', 'mlflow', ...store);
  expect(compared.error.match(/set MLFLOW_TRACKING_URI/g)).toHaveLength(1);
  expect(compared.code).toBe(1);
});
