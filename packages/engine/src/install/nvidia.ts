import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

/** Whether this machine has an NVIDIA GPU that a process can open. */
export const hasNvidiaGpu = (): boolean => existsSync('/dev/nvidia0') || existsSync('/dev/dxg');

/** The NVIDIA driver and cards of a machine, as far as they can be asked. */
export interface NvidiaReport {
  /** As `580.65.06`. */
  readonly driver: string | undefined;
  readonly cards: readonly { readonly name: string; readonly memoryBytes: number }[];
}

/** What the driver says of itself; without an answer of its program only its version. */
export function nvidia(): NvidiaReport {
  try {
    const query = '--query-gpu=driver_version,memory.total,name';
    const lines = execFileSync('nvidia-smi', [query, '--format=csv,noheader,nounits'], {
      encoding: 'utf8',
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const rows = lines
      .trim()
      .split('\n')
      .map((line) => line.split(', '));
    const cards = rows.map(([, memory, ...name]) => ({
      name: name.join(', '),
      memoryBytes: Number(memory) * 2 ** 20,
    }));
    return { driver: rows[0]?.[0], cards };
  } catch {
    return { driver: driverOf(), cards: [] };
  }
}

function driverOf(): string | undefined {
  try {
    return /\b\d{3}\.\d+(?:\.\d+)?\b/.exec(readFileSync('/proc/driver/nvidia/version', 'utf8'))?.[0];
  } catch {
    return undefined;
  }
}
