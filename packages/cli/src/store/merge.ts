import { cp, readdir, readFile, realpath, stat, utimes } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { writeFolder, writeWhole } from '../atomic.js';
import { COST, CURVE, PREDICTIONS, RECORD, Store } from './store.js';

/** A run that two stores have and that is not the same in both. */
export interface Disagreement {
  readonly key: string;
  readonly file: string;
  /** The first line that differs, from 1, as each store has it. */
  readonly line: number;
  readonly texts: readonly [string, string];
  /** The machines that did it. */
  readonly machines: readonly [string, string];
}

export interface Merged {
  /** Runs of the joined store. */
  readonly runs: number;
  /** Runs that more than one store had. */
  readonly twice: number;
  readonly disagreements: readonly Disagreement[];
}

/** Joins stores into one, which may be there already; one that is named twice counts once. Of a run that several have the first stays. */
export async function mergeStores(folders: readonly string[], out: string): Promise<Merged> {
  const named = folders.map((folder) => Store.existing(folder));
  const target = await Store.open(out);
  const places = new Set([await realpath(out)]);
  const sources: Store[] = [];
  for (const store of named) {
    const place = await realpath(store.folder);
    if (!places.has(place)) sources.push(store);
    places.add(place);
  }
  if (places.size === 1) throw new HypetuneError('merge: name two stores at least.');
  let twice = 0;
  const disagreements: Disagreement[] = [];
  for (const source of sources) {
    for (const key of await source.keys()) {
      const [place, other] = [target.place(key), source.place(key)];
      if (await target.has(key)) {
        twice += 1;
        const found = await disagreement(key, place, other);
        if (found) disagreements.push(found);
        continue;
      }
      await source.read(key); // Throws where it is damaged.
      await writeFolder(place, (fresh) => cp(other, fresh, { recursive: true }));
    }
    for (const part of ['rows', 'plans'])
      for (const name of await readdir(join(source.folder, part)).catch(() => []))
        if (!name.startsWith('.')) await keep(join(source.folder, part, name), join(out, part, name));
  }
  return { runs: (await target.keys()).length, twice, disagreements };
}

/** Copies a file with its time, by which plans are the latest; one that is there, the same and as late, stays. */
async function keep(from: string, to: string): Promise<void> {
  const { mtime } = await stat(from);
  const there = await stat(to).catch(() => undefined);
  if (there && there.mtime >= mtime) return;
  await writeWhole(to, await readFile(from));
  await utimes(to, mtime, mtime);
}

async function disagreement(key: string, one: string, two: string): Promise<Disagreement | undefined> {
  const machine = async (folder: string): Promise<string> => {
    const { environment } = JSON.parse(await readFile(join(folder, COST), 'utf8')) as {
      environment: Record<string, string>;
    };
    return `${environment.processor}, node ${environment.node}`;
  };
  for (const file of [RECORD, CURVE, PREDICTIONS]) {
    const [a, b] = await Promise.all(
      [one, two].map(async (folder) => (await readFile(join(folder, file), 'utf8')).split('\n')),
    );
    const line = a!.findIndex((text, place) => text !== b![place]);
    if (line === -1 && a!.length === b!.length) continue;
    const place = line === -1 ? a!.length : line;
    return {
      ...{ key, file, line: place + 1, texts: [a![place] ?? '', b![place] ?? ''] },
      machines: [await machine(one), await machine(two)],
    };
  }
  return undefined;
}
