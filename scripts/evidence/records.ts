import { existsSync } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { writeFolder } from '../../packages/cli/src/atomic.js';
import type { ComparisonPlan } from '../../packages/cli/src/store/plan.js';
import type { Cost, CurveLine, PredictedLine, StoredRecord } from '../../packages/cli/src/store/record.js';
import type { Store } from '../../packages/cli/src/store/store.js';

/**
 * The runs of a store as files that a repository can keep: `plan.json`, and for each task and recipe a compressed file of one
 * JSON line a run. Records and costs are whole; curves have six digits; of predictions the logits are kept, as float32.
 */
export async function packRecords(store: Store, plan: ComparisonPlan, folder: string): Promise<number> {
  const files = new Map<string, string[]>();
  let packed = 0;
  for (const { key, task, recipe } of plan.runs) {
    if (!(await store.has(key))) continue;
    const line: PackedRun = {
      ...(await store.read(key)),
      curve: (await store.curve(key)).map(rounded),
      ...packPredictions(await store.predictions(key)),
    };
    const name = `${task}-${recipe}`.replace(/[^\w.+=-]+/g, '_');
    files.set(name, [...(files.get(name) ?? []), JSON.stringify(line)]);
    packed += 1;
  }
  await writeFolder(folder, async (fresh) => {
    await writeFile(join(fresh, PLAN), `${JSON.stringify(plan, null, 1)}\n`);
    for (const [name, lines] of files)
      await writeFile(
        join(fresh, `${name}${RUNS}`),
        gzipSync(lines.map((line) => `${line}\n`).join(''), { level: 9 }),
      );
  });
  return packed;
}

/** The runs of such a folder into a store; those that are there already stay. */
export async function unpackRecords(folder: string, store: Store): Promise<ComparisonPlan> {
  for (const name of (await readdir(folder)).filter((file) => file.endsWith(RUNS)).sort())
    for (const text of gunzipSync(await readFile(join(folder, name)))
      .toString()
      .split('\n')
      .filter(Boolean)) {
      const { record, cost, curve, ...packed } = JSON.parse(text) as PackedRun;
      if (!(await store.has(record.key)))
        await store.write({ record, cost, curve, predictions: unpackPredictions(packed, record) });
    }
  const plan = JSON.parse(await readFile(join(folder, PLAN), 'utf8')) as ComparisonPlan;
  await store.keepPlan(plan);
  return plan;
}

/** Whether a folder holds records. */
export function hasRecords(folder: string): boolean {
  return existsSync(join(folder, PLAN));
}

const PLAN = 'plan.json';
const RUNS = '.jsonl.gz';

interface PackedPredictions {
  readonly labels: readonly unknown[];
  /** Base64 of little-endian float32, row by row. */
  readonly logits: string;
}

interface PackedRun extends PackedPredictions {
  readonly record: StoredRecord;
  readonly cost: Cost;
  readonly curve: readonly CurveLine[];
}

function packPredictions(lines: readonly PredictedLine[]): PackedPredictions {
  const logits = Float32Array.from(lines.flatMap((line) => line.logits));
  return {
    labels: lines.map(({ label }) => label),
    logits: Buffer.from(logits.buffer).toString('base64'),
  };
}

function unpackPredictions({ labels, logits }: PackedPredictions, record: StoredRecord): PredictedLine[] {
  const bytes = Buffer.from(logits, 'base64');
  const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
  const width = values.length / (labels.length || 1);
  return labels.map((label, row) => {
    const own = [...values.subarray(row * width, (row + 1) * width)];
    return { row, label, loss: lossOf(own, label, record), logits: own };
  });
}

/** Loss of a row: squared error, or cross-entropy. */
function lossOf(logits: readonly number[], label: unknown, { identity }: StoredRecord): number {
  if (typeof label !== 'number') return NaN;
  if (identity.task.kind === 'values') return (logits[0]! - label) ** 2;
  const most = Math.max(...logits);
  return Math.log(logits.reduce((sum, logit) => sum + Math.exp(logit - most), 0)) + most - logits[label]!;
}

function rounded(line: CurveLine): CurveLine {
  return JSON.parse(
    JSON.stringify(line, (_, value: unknown) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value,
    ),
  ) as CurveLine;
}
