import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
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
    'train.tsv-hype-seed-1',
    'train.tsv-vanilla-seed-1',
  ]);
  expect((await call('train', ...data, ...logs)).error).toContain('--log: give --out a folder');
  expect((await call('compare', ...data, '--keep-last', '2')).error).toContain(
    '--keep-last: is for hypetune train',
  );
});
