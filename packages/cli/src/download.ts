import type { SourceOptions, SourceProgress } from '@hypetune/models';
import { Presets, SingleBar } from 'cli-progress';
import { note, type Terminal } from './terminal.js';

/** Runs something that may download, and shows how far it is. */
export type DownloadNotes = <T>(run: (options: SourceOptions) => Promise<T>) => Promise<T>;

const INTERVAL = 5000;

/** Downloads as a bar on a terminal, as a line every five seconds elsewhere. */
export function showDownloads(terminal: Terminal, signal?: AbortSignal): DownloadNotes {
  return async (run) => {
    const display = showBytes(terminal);
    try {
      return await run({
        ...(signal && { signal }),
        onProgress: ({ source, bytes, total }: SourceProgress) => {
          display.update(source, bytes, total);
        },
      });
    } finally {
      display.stop();
    }
  };
}

export interface ByteDisplay {
  update(what: string, bytes: number, total: number | undefined): void;
  stop(): void;
}

/** Bytes that come in: `what` is what they belong to, `total` how many there will be, if known. */
export function showBytes(terminal: Terminal, now: () => number = Date.now): ByteDisplay {
  let bar: SingleBar | undefined;
  let last = -Infinity;
  return {
    update: (what, bytes, total) => {
      if (terminal.error.isTTY && total) {
        bar ??= startBar(terminal, total);
        bar.update(Math.min(bytes, total), { what, text: `${megabytes(bytes)} of ${megabytes(total)}` });
      } else if (now() - last >= INTERVAL) {
        last = now();
        note(terminal, `${what}: ${megabytes(bytes)}${total ? ` of ${megabytes(total)}` : ''}`);
      }
    },
    stop: () => {
      bar?.stop();
      bar = undefined;
    },
  };
}

function startBar(terminal: Terminal, total: number): SingleBar {
  const bar = new SingleBar(
    { format: '{what} [{bar}] {text}', stream: terminal.error, hideCursor: false },
    Presets.shades_classic,
  );
  bar.start(total, 0, { what: '', text: '' });
  return bar;
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}
