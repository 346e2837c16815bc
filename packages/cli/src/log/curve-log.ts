import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import type { CurveLine } from '../store/record.js';
import { mlflow } from './mlflow.js';
import { type Receiver, receiverLog } from './receiver.js';
import { scalarsOf } from './scalars.js';
import { EventFile, type Scalar } from './tensorboard.js';
import { trackio } from './trackio.js';

/** How a curve is written while a run goes on. */
export const LOG_FORMATS = ['tensorboard', 'csv', 'jsonl', 'mlflow', 'trackio'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** A run as its receivers know it. */
export interface LoggedRun {
  readonly name: string;
  /** What it was told, each setting a line of text. */
  readonly params: Readonly<Record<string, string>>;
  readonly onWarning: (message: string) => void;
}

/** How a run came to its end. */
export interface RunEnd {
  readonly status: 'finished' | 'failed' | 'stopped';
  /** Updates made. */
  readonly step: number;
  /** What was measured at the end, by name as `validation/accuracy`. */
  readonly metrics: Readonly<Record<string, number>>;
}

/** Writes a curve line by line. */
export interface CurveLog {
  line(line: CurveLine): void;
  /** Ends the log; services have everything then. */
  close(end: RunEnd): Promise<void> | void;
}

const RECEIVERS: Partial<Record<LogFormat, () => Receiver>> = {
  mlflow: () => mlflow(),
  trackio: () => trackio(),
};

/** Throws where a service that curves are to go to is not set up, and where the logs' folder is a file. */
export function checkLogs(formats: readonly LogFormat[] = [], folder?: string): void {
  for (const format of formats) RECEIVERS[format]?.();
  if (formats.length > 0 && folder !== undefined && existsSync(folder) && !statSync(folder).isDirectory())
    throw new HypetuneError(
      `--log: '${folder}' is a file, and logs are written in a folder of that name; move the file away or give another --out.`,
    );
}

/** Files that logs write into their folder. */
const OWN = new RegExp(
  `^(?:curve\\.(?:csv|jsonl)|events\\.out\\.tfevents\\..+|(?:${LOG_FORMATS.join('|')})-run)$`,
);

/**
 * Begins logs in a folder, those that were there replaced: `curve.csv` (a line a number: step, epoch, name, value), `curve.jsonl`
 * (a JSON text a line of the curve) and event files of TensorBoard. What goes to a service leaves the run's id there, with
 * which a run goes on. `history`: the lines of a run that goes on.
 */
export function openLogs(
  formats: readonly LogFormat[],
  folder: string,
  run: LoggedRun,
  history: readonly CurveLine[] = [],
): CurveLog {
  const idFile = (format: LogFormat): string => join(folder, `${format}-run`);
  const known = new Map(
    formats.flatMap((format) =>
      history.length > 0 && existsSync(idFile(format))
        ? [[format, readFileSync(idFile(format), 'utf8').trim()] as const]
        : [],
    ),
  );
  const receivers = formats.map((format) => RECEIVERS[format]?.());
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (OWN.test(name)) rmSync(join(folder, name));
  const logs = formats.map((format, place): CurveLog => {
    const receiver = receivers[place];
    if (receiver)
      return receiverLog(receiver, run, known.get(format), (id) => {
        writeFileSync(idFile(format), `${id}\n`);
      });
    if (format === 'jsonl') return jsonlLog(join(folder, 'curve.jsonl'));
    return scalarLog(format === 'csv' ? csvFile(join(folder, 'curve.csv')) : new EventFile(folder));
  });
  for (const [place, log] of logs.entries())
    if (!known.has(formats[place]!)) for (const line of history) log.line(line);
  return {
    line: (line) => {
      for (const log of logs) log.line(line);
    },
    close: async (end) => {
      for (const log of logs) await log.close(end);
    },
  };
}

/** The loss and the metrics of an evaluation under the name of its rows. */
export function endMetrics(
  rows: 'validation' | 'test',
  evaluation: { readonly loss: number; readonly metrics: Readonly<Record<string, number>> } | undefined,
): Record<string, number> {
  if (!evaluation) return {};
  const { loss, metrics } = evaluation;
  return Object.fromEntries(
    Object.entries({ loss, ...metrics }).map(([name, value]) => [`${rows}/${name}`, value]),
  );
}

/** Settings as lines of text, those of methods as `plugins.0.name`. */
export function paramsOf(value: unknown, name = ''): Record<string, string> {
  if (value === undefined || value === null || typeof value === 'function') return {};
  if (typeof value !== 'object') return { [name]: String(value as string | number | boolean) };
  return Object.assign(
    {},
    ...Object.entries(value).map(([key, inner]) => paramsOf(inner, name === '' ? key : `${name}.${key}`)),
  ) as Record<string, string>;
}

/** Where numbers by name are written. */
interface ScalarFile {
  write(scalar: Scalar, epoch: number): void;
  close(): void;
}

/** Numbers by name: those of each line, and at the end those measured then that no line had, as of test rows. */
function scalarLog(file: ScalarFile): CurveLog {
  const written = new Set<string>();
  let epoch = 0;
  return {
    line: (line) => {
      ({ epoch } = line);
      for (const scalar of scalarsOf(line)) {
        written.add(scalar.tag);
        file.write(scalar, epoch);
      }
    },
    close: ({ step, metrics }) => {
      for (const [tag, value] of Object.entries(metrics))
        if (!written.has(tag)) file.write({ tag, step, value }, epoch);
      file.close();
    },
  };
}

function csvFile(path: string): ScalarFile {
  const handle = openSync(path, 'w');
  writeSync(handle, 'step,epoch,name,value\n');
  return {
    write: ({ step, tag, value }, epoch) => {
      writeSync(handle, `${step},${epoch},${tag},${value}\n`);
    },
    close: () => {
      closeSync(handle);
    },
  };
}

function jsonlLog(path: string): CurveLog {
  const handle = openSync(path, 'w');
  return {
    line: (line) => {
      writeSync(handle, `${JSON.stringify(line)}\n`);
    },
    close: () => {
      closeSync(handle);
    },
  };
}
