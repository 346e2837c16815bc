import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { CurveLine } from '../store/record.js';
import { EventFile, type Scalar } from './tensorboard.js';

/** How a curve is written while a run goes on. */
export const LOG_FORMATS = ['tensorboard', 'csv', 'jsonl'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Writes a curve line by line. */
export interface CurveLog {
  line(line: CurveLine): void;
  close(): void;
}

/**
 * Begins logs in a folder, what was there of it replaced: `curve.csv` (a line a number: step, epoch, name, value), `curve.jsonl`
 * (a JSON text a line of the curve) and event files of TensorBoard. `history`: the lines of a run that goes on.
 */
export function openLogs(
  formats: readonly LogFormat[],
  folder: string,
  history: readonly CurveLine[] = [],
): CurveLog {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const logs = formats.map((format) =>
    format === 'tensorboard'
      ? eventLog(folder)
      : format === 'csv'
        ? textLog(join(folder, 'curve.csv'), 'step,epoch,name,value\n', csvLines)
        : textLog(join(folder, 'curve.jsonl'), '', (line) => `${JSON.stringify(line)}\n`),
  );
  for (const line of history) for (const log of logs) log.line(line);
  return {
    line: (line) => {
      for (const log of logs) log.line(line);
    },
    close: () => {
      for (const log of logs) log.close();
    },
  };
}

function textLog(file: string, head: string, textOf: (line: CurveLine) => string): CurveLog {
  const handle = openSync(file, 'w');
  if (head !== '') writeSync(handle, head);
  return {
    line: (line) => {
      writeSync(handle, textOf(line));
    },
    close: () => {
      closeSync(handle);
    },
  };
}

function eventLog(folder: string): CurveLog {
  const file = new EventFile(folder);
  return {
    line: (line) => {
      for (const scalar of scalarsOf(line)) file.write(scalar);
    },
    close: () => {
      file.close();
    },
  };
}

function csvLines(line: CurveLine): string {
  return scalarsOf(line)
    .map(({ tag, step, value }) => `${step},${line.epoch},${tag},${value}\n`)
    .join('');
}

/** The numbers of a line by name. */
export function scalarsOf(line: CurveLine): Scalar[] {
  const { step } = line;
  const named = (values: Readonly<Record<string, number>>): Scalar[] =>
    Object.entries(values).map(([tag, value]) => ({ tag, step, value }));
  if (line.kind === 'evaluation')
    return named(line.metrics).map((scalar) => ({ ...scalar, tag: `validation/${scalar.tag}` }));
  if (line.kind === 'epoch') return named({ 'train/epoch_loss': line.loss });
  const { loss, learningRate, gradientNorm, terms } = line;
  return [
    ...named({
      'train/loss': loss,
      'train/learning_rate': learningRate,
      'train/gradient_norm': gradientNorm,
    }),
    ...named(terms).map((scalar) => ({ ...scalar, tag: `train/terms/${scalar.tag}` })),
  ];
}
