import { PassThrough } from 'node:stream';
import type { StepReport } from '@hypetune/core';
import { expect, test } from 'vitest';
import { countRows, duration, showProgress } from './progress.js';

const report = (step: number, loss: number): StepReport => ({
  ...{
    step,
    total: 100,
    epoch: 0,
    loss,
    terms: { task: loss },
    learningRate: 1e-4,
    gradientNorm: 1,
    rows: 16,
  },
});

const stream = (
  isTTY: boolean,
): { error: PassThrough & { isTTY: boolean; columns: number }; out: PassThrough; text: () => string } => {
  const error = Object.assign(new PassThrough(), { isTTY, columns: 120 });
  const chunks: Buffer[] = [];
  error.on('data', (chunk: Buffer) => chunks.push(chunk));
  return { error, out: new PassThrough(), text: () => Buffer.concat(chunks).toString() };
};

test('without a terminal: a plain line every interval and at the end, with loss, pace and time left', () => {
  const terminal = stream(false);
  let time = 0;
  const progress = showProgress(terminal, 'hype · seed 1', { now: () => time, interval: 10 });
  for (let step = 1; step <= 100; step += 1) {
    time += 500;
    progress.step(report(step, 1));
  }
  progress.step(report(100, 1));
  progress.stop();
  progress.step(report(100, 1));
  const lines = terminal.text().trim().split('\n');
  expect(lines[0]).toBe('hype · seed 1: step 20/100 · loss 1.0000 · 2.0 steps/s · 40 s left');
  expect(lines).toHaveLength(6);
  expect(lines.at(-1)).toMatch(/step 100\/100 .* 0 s left$/);
});

test('a step that had to be compiled is left out of the pace, and slow steps are told in seconds', () => {
  const terminal = stream(false);
  let time = 0;
  const progress = showProgress(terminal, 'hype', { now: () => time, interval: 10 });
  for (let step = 1; step <= 8; step += 1) {
    time += step < 4 ? 60_000 : 12_500;
    progress.step(report(step, 1), step < 4);
  }
  const lines = terminal.text().trim().split('\n');
  expect(lines[2]).toBe('hype: step 3/100 · loss 1.0000');
  expect(lines.at(-1)).toBe('hype: step 8/100 · loss 1.0000 · 12.5 s/step · 19 min 10 s left');
});

test('on a narrow terminal the label gives way, not the figures', async () => {
  const terminal = stream(true);
  terminal.error.columns = 70;
  const progress = showProgress(terminal, 'hype+r3f+child-tuning · seed 0');
  progress.step(report(1, 0.5));
  await new Promise((resolve) => setTimeout(resolve, 150));
  progress.step(report(2, 0.5));
  progress.stop();
  expect(terminal.text()).toMatch(/hype\+r3f\S*… 1\/100 · loss 0\.5000/);
});

test('rows are counted every five seconds', () => {
  const terminal = stream(false);
  let time = 0;
  const say = countRows(terminal, 'tokenized', () => time);
  for (const count of [1, 2, 3, 4]) {
    time += 3000;
    say(count, 9);
  }
  expect(terminal.text()).toBe('2 of 9 rows tokenized\n4 of 9 rows tokenized\n');
});

test('on a terminal: a bar', async () => {
  const terminal = stream(true);
  const progress = showProgress(terminal, 'hype');
  progress.step(report(1, 0.5));
  await new Promise((resolve) => setTimeout(resolve, 150));
  progress.step(report(2, 0.5));
  progress.stop();
  expect(terminal.text()).toMatch(/hype \[.*\] 1\/100 · loss 0\.5000/);
});

test('durations', () => {
  expect([7.4, 200, 7500].map(duration)).toEqual(['7 s', '3 min 20 s', '2 h 5 min']);
});
