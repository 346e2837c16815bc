import type { Dataset, StepReport } from '@hypetune/core';
import { median } from '@hypetune/statistics';
import { Presets, SingleBar } from 'cli-progress';

import { note, type Terminal } from './terminal.js';

/** What a run shows of itself while it goes on. */
export interface Progress {
  /** After an update; `compiled` where it had to be compiled first, which tells nothing of the pace. */
  step(report: StepReport, compiled?: boolean): void;
  /** Writes a line of its own. */
  note(line: string): void;
  /** Ends the display; a later `step` shows nothing. */
  stop(): void;
}

export interface ProgressOptions {
  /** Steps of the run; taken from the first report if not known before. */
  readonly total?: number | undefined;
  /** Seconds between two lines where there is no terminal to draw a bar on (default 10). */
  readonly interval?: number | undefined;
  /** Steps between two such lines, instead of seconds. */
  readonly every?: number | undefined;
  /** Milliseconds; replaced in tests. */
  readonly now?: () => number;
}

/** A bar on a terminal, one plain line at intervals elsewhere, each with loss, steps a second and time left. */
export function showProgress(terminal: Terminal, label: string, options: ProgressOptions = {}): Progress {
  const { now = Date.now } = options;
  const pace = new Pace(now);
  return terminal.error.isTTY ? bar(terminal, label, pace) : plainLines(terminal, label, pace, options);
}

function bar(terminal: Terminal, label: string, pace: Pace): Progress {
  const single = new SingleBar(
    {
      ...barFormat(label, terminal.error.columns ?? 80),
      stream: terminal.error,
      hideCursor: false,
      gracefulExit: false,
    },
    Presets.shades_classic,
  );
  let started = false;
  return {
    step: (report, compiled) => {
      const text = pace.after(report, compiled);
      if (started) single.update(report.step, { text });
      else single.start(report.total, report.step, { text });
      started = true;
    },
    note: (line) => {
      if (started) single.stop();
      started = false;
      note(terminal, line);
    },
    stop: () => {
      if (started) single.stop();
    },
  };
}

/** What stands beside the bar: counts, loss, pace and time left. */
const FIGURES = '1234/1234 · loss 0.1234 · 12.3 steps/s · 12 min 34 s left'.length;

/** A bar as long as the terminal has room for, or none; then the label gives way too. */
function barFormat(label: string, columns: number): { format: string; barsize: number } {
  const room = columns - 1 - FIGURES - 1;
  const barsize = Math.min(40, room - label.length - 3);
  if (barsize >= 8) return { format: `${label} [{bar}] {value}/{total} · {text}`, barsize };
  const short = label.length <= room ? label : room < 4 ? '' : `${label.slice(0, room - 1)}…`;
  return { format: `${short} {value}/{total} · {text}`.trimStart(), barsize: 0 };
}

function plainLines(
  terminal: Terminal,
  label: string,
  pace: Pace,
  { interval = 10, every, now = Date.now }: ProgressOptions,
): Progress {
  let last = now();
  let stopped = false;
  return {
    step: (report, compiled) => {
      const text = pace.after(report, compiled);
      const due = every === undefined ? now() - last >= interval * 1000 : report.step % every === 0;
      if (stopped || !(due || report.step >= report.total)) return;
      last = now();
      note(terminal, `${label}: step ${report.step}/${report.total} · ${text}`);
    },
    note: (line) => {
      note(terminal, line);
    },
    stop: () => {
      stopped = true;
    },
  };
}

/** Says every five seconds how many rows something was done to. */
export function countRows(
  terminal: Terminal,
  done: string,
  now: () => number = Date.now,
): (count: number, total: number) => void {
  let last = now();
  return (count, total) => {
    if (now() - last < 5000) return;
    last = now();
    const line = `${count} of ${total} rows ${done}`;
    // In the place of a bar, which is drawn anew at the next step.
    note(terminal, terminal.error.isTTY ? `\r\u001B[K${line}` : line);
  };
}

/** The same data; each pass over it says how far it is, while `active`. */
export function counted<T extends Dataset>(
  data: T,
  terminal: Terminal,
  done: string,
  active: () => boolean = () => true,
): T {
  const say = countRows(terminal, done);
  let seen = 0;
  const inputs: Dataset['inputs'] = (indices, length) => {
    if (!active()) return data.inputs(indices, length);
    // A batch that is filled up repeats its first row.
    seen = (seen % data.size) + new Set(indices).size;
    say(seen, data.size);
    return data.inputs(indices, length);
  };
  return { ...data, inputs };
}

/** How many steps back the pace looks. */
const WINDOW = 15;

/** Steps before the pace is told: the first ones warm up. */
const FIRST = 3;

/** The loss as a running mean, and the median pace of the last steps; a step that had to be compiled does not count. */
class Pace {
  private loss: number | undefined;
  private readonly seconds: number[] = [];
  private last: number | undefined;

  constructor(private readonly now: () => number) {}

  after(report: StepReport, compiled = false): string {
    const time = this.now() / 1000;
    this.loss = this.loss === undefined ? report.loss : 0.9 * this.loss + 0.1 * report.loss;
    if (this.last !== undefined && !compiled) this.seconds.push(time - this.last);
    if (this.seconds.length > WINDOW) this.seconds.shift();
    this.last = time;
    const loss = `loss ${this.loss.toFixed(4)}`;
    const pace = this.seconds.length >= FIRST ? median(this.seconds) : 0;
    if (pace === 0) return loss;
    const left = duration((report.total - report.step) * pace);
    const rate = pace < 2 ? `${(1 / pace).toFixed(1)} steps/s` : `${pace.toFixed(1)} s/step`;
    return `${loss} · ${rate} · ${left} left`;
  }
}

/** `7 s`, `3 min 20 s`, `2 h 5 min`. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}
