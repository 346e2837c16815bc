import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll } from 'vitest';

/** A folder that is gone after the tests of a file, with a way to write files into it. */
export interface Scratch {
  readonly folder: string;
  /** Writes a file, folders included, and returns its path. */
  readonly write: (name: string, content: string) => string;
}

export function scratch(): Scratch {
  const folder = mkdtempSync(join(tmpdir(), 'hypetune-'));
  afterAll(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return {
    folder,
    write: (name, content) => {
      const path = join(folder, name);
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, content);
      return path;
    },
  };
}
