import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { COMPLETE, recover, writeFolder, writeWhole } from '../atomic.js';
import { readJson } from '../json-file.js';
import { canonicalJson, sha256 } from './canonical.js';
import { isTaken, type Lock, takeLock } from './lock.js';
import type { Cost, CurveLine, PredictedLine, StoredRecord } from './record.js';

/** Files of a run's folder. All but `COST` are the same bytes for the same key. */
export const RECORD = 'record.json';
export const CURVE = 'curve.jsonl';
export const PREDICTIONS = 'predictions.jsonl';
export const COST = 'cost.json';
export const STORE_MARK = 'store.json';

/** A run and what it cost. */
export interface StoredRun {
  readonly record: StoredRecord;
  readonly cost: Cost;
}

/** A run with all that is written of it. */
export interface WholeRun extends StoredRun {
  readonly curve: readonly CurveLine[];
  readonly predictions: readonly PredictedLine[];
}

/** A row that was measured, as reports show it. */
export interface ShownRow {
  readonly text: string;
  readonly pair?: string | undefined;
  readonly label: unknown;
}

/**
 * A folder of runs, each in `runs/KEY`, whole or not at all; `rows/HASH.jsonl` has the rows measured on, `plans/HASH.json` what
 * was asked for, `checkpoints/KEY` where a run is that has not ended. Any number of processes may write to one.
 */
export class Store {
  constructor(readonly folder: string) {}

  /** Opens a store, made where there is none; throws for a folder that is something else. */
  static async open(folder: string): Promise<Store> {
    const entries: readonly string[] = await readdir(folder).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    });
    if (!entries.includes(STORE_MARK)) {
      if (entries.some((name) => !name.startsWith('.')))
        throw new HypetuneError(
          `--store: '${folder}' is no store of runs but holds something; name another folder.`,
        );
      // The mark comes first: another process may open the store at the same moment.
      await writeWhole(join(folder, STORE_MARK), `${JSON.stringify({ hypetuneStore: 1 })}\n`);
      await mkdir(join(folder, 'runs'), { recursive: true });
    }
    return new Store(folder);
  }

  /** Opens a store that must be there. */
  static existing(folder: string): Store {
    if (existsSync(join(folder, STORE_MARK))) return new Store(folder);
    throw new HypetuneError(
      `${folder}: there is no ${STORE_MARK}, so this is no store of runs made by compare --store.`,
    );
  }

  /** Keys of the runs that are there, in order. */
  async keys(): Promise<string[]> {
    const names = await readdir(join(this.folder, 'runs')).catch(() => []);
    return names.filter((name) => /^[0-9a-f]{64}$/.test(name)).sort();
  }

  /** The folder of a run. */
  place(key: string): string {
    return join(this.folder, 'runs', key);
  }

  /** The folder of the last checkpoint of a run that has not ended. */
  checkpoint(key: string): string {
    return join(this.folder, 'checkpoints', key);
  }

  /** Whether a run is there. Mends nothing but the mark of a save that was killed at its last step: others may be writing. */
  async has(key: string): Promise<boolean> {
    if (!existsSync(join(this.place(key), RECORD))) return false;
    await rm(join(this.place(key), COMPLETE), { force: true });
    return true;
  }

  /** Removes what killed processes left of a run; for the one who holds its lock. */
  async recover(key: string): Promise<void> {
    await recover(this.place(key));
  }

  /** A run that is there; throws where its record is damaged. */
  async read(key: string): Promise<StoredRun> {
    const file = join(this.place(key), RECORD);
    const record = (await this.#part(key, readJson(file))) as StoredRecord;
    if ((record.version as number) !== 1 || record.key !== key || keyOf(record.identity) !== key)
      throw new HypetuneError(
        `${file}: it is not the record that was written; delete its folder to run it again.`,
      );
    return { record, cost: (await this.#part(key, readJson(join(this.place(key), COST)))) as Cost };
  }

  async curve(key: string): Promise<CurveLine[]> {
    return this.#part(key, readLines<CurveLine>(join(this.place(key), CURVE)));
  }

  async predictions(key: string): Promise<PredictedLine[]> {
    return this.#part(key, readLines<PredictedLine>(join(this.place(key), PREDICTIONS)));
  }

  /** What a file of a run holds; where it is damaged or gone, as after a copy that was cut off, an error that says what to do. */
  async #part<T>(key: string, content: Promise<T>): Promise<T> {
    try {
      return await content;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code !== undefined && code !== 'ENOENT') throw error;
      throw new HypetuneError(
        `${this.place(key)}: it is not whole (${(error as Error).message}); delete this folder to do the run again.`,
        { cause: error },
      );
    }
  }

  /** A run with its curve and predictions. */
  async readWhole(key: string): Promise<WholeRun> {
    return {
      ...(await this.read(key)),
      curve: await this.curve(key),
      predictions: await this.predictions(key),
    };
  }

  /** Writes a run, whole or not at all. */
  async write({ record, cost, curve, predictions }: WholeRun): Promise<void> {
    await writeFolder(this.place(record.key), async (fresh) => {
      await writeFile(join(fresh, RECORD), `${canonicalJson(record, 2)}\n`);
      await writeFile(join(fresh, CURVE), jsonLines(curve));
      await writeFile(join(fresh, PREDICTIONS), jsonLines(predictions));
      await writeFile(join(fresh, COST), `${canonicalJson(cost, 2)}\n`);
    });
  }

  /** The right to do a run; undefined while another process has it. */
  async lock(key: string): Promise<Lock | undefined> {
    return takeLock(join(this.folder, 'locks', key));
  }

  /** Keys of the runs that processes are doing now; a lock that a killed one left says nothing. */
  async busy(): Promise<string[]> {
    const locks = join(this.folder, 'locks');
    const names = await readdir(locks).catch(() => []);
    const taken = await Promise.all(names.map((name) => isTaken(join(locks, name))));
    return names.filter((_, place) => taken[place]);
  }

  /** Keeps the rows that are measured, so that reports can show them. */
  async keepRows(hash: string, rows: readonly ShownRow[]): Promise<void> {
    const file = join(this.folder, 'rows', `${hash}.jsonl`);
    if (!existsSync(file)) await writeWhole(file, jsonLines(rows));
  }

  async rows(hash: string): Promise<ShownRow[]> {
    const file = join(this.folder, 'rows', `${hash}.jsonl`);
    return existsSync(file) ? readLines<ShownRow>(file) : [];
  }

  /** Keeps what a comparison asks for. */
  async keepPlan(plan: object): Promise<void> {
    const text = `${canonicalJson(plan, 2)}\n`;
    await writeWhole(join(this.folder, 'plans', `${sha256(text)}.json`), text);
  }

  /** What comparisons asked for, the latest first. */
  async plans<T>(): Promise<T[]> {
    const home = join(this.folder, 'plans');
    const names = (await readdir(home).catch(() => [])).filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
    const times = await Promise.all(
      names.map(async (name) => ({ name, time: (await stat(join(home, name))).mtimeMs })),
    );
    times.sort((a, b) => b.time - a.time || (a.name < b.name ? -1 : 1));
    return Promise.all(times.map(async ({ name }) => (await readJson(join(home, name))) as T));
  }
}

/** The key of a run. */
export function keyOf(identity: StoredRecord['identity']): string {
  return sha256(canonicalJson(identity));
}

/** A JSON text a line. */
export function jsonLines(values: readonly unknown[]): string {
  return values.map((value) => `${JSON.stringify(value)}\n`).join('');
}

/** What `jsonLines` wrote. */
export async function readLines<T>(file: string): Promise<T[]> {
  const text = await readFile(file, 'utf8');
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
