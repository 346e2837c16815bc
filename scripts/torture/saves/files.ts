import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { recover, writeWhole } from '../../../packages/cli/src/atomic.js';
import { handOver, ownFolder, takePrograms } from '../../../packages/engine/src/compile/program-cache.js';
import { entryFolder, readEntry, Staging } from '../../../packages/models/src/source/cache.js';
import type { Save } from './save.js';

const content = (number: number): string => `${number}\n${'x'.repeat(100_000)}\n${number}`;

function numberOf(text: string): number {
  const lines = text.split('\n');
  if (lines.length !== 3 || lines[0] !== lines[2])
    throw new Error(`a file of ${text.length} bytes is not whole`);
  return Number(lines[0]);
}

/** A file of results, as `--json` and `predict --out` write it. */
export function openFile(home: string): Save {
  const file = join(home, 'out.json');
  return {
    write: (number) => writeWhole(file, content(number)),
    read: async () => {
      await recover(file);
      return existsSync(file) ? numberOf(readFileSync(file, 'utf8')) : undefined;
    },
    leftOvers: () => readdirSync(home).filter((name) => name !== 'out.json'),
  };
}

/** Models and packages as they are fetched; each number is a package of its own. */
export function openSource(home: string): Save {
  const entry = (number: number): string =>
    entryFolder(home, { kind: 'npm', text: 'npm:x', name: 'x', version: String(number) });
  const staging = join(home, 'staging');
  return {
    cache: true,
    write: async (number) => {
      const fresh = await Staging.create(home);
      try {
        writeFileSync(join(fresh.files, 'a.txt'), content(number));
        writeFileSync(join(fresh.files, 'b.txt'), content(number));
        await fresh.commit(entry(number), { source: 'npm:x' });
      } finally {
        await fresh.remove();
      }
    },
    read: async () => {
      await (await Staging.create(home)).remove();
      const folder = join(home, 'sources', 'npm');
      const numbers = existsSync(folder)
        ? readdirSync(folder).map((name) => Number(decodeURIComponent(name).split('@')[1]))
        : [];
      let last: number | undefined;
      for (const number of numbers.sort((a, b) => a - b).slice(-3)) {
        const read = await readEntry(entry(number));
        if (!read || !('folder' in read)) continue; // is fetched again
        if (numberOf(readFileSync(join(read.folder, 'a.txt'), 'utf8')) !== number)
          throw new Error(`the package ${number} holds another`);
        last = number;
      }
      return last;
    },
    leftOvers: () => (existsSync(staging) ? readdirSync(staging) : []),
  };
}

/** Programs that XLA compiled, handed over at the end of a process. */
export function openPrograms(home: string): Save {
  const own = ownFolder(home);
  const sumOf = (text: string): string => createHash('sha256').update(text).digest('hex');
  mkdirSync(home, { recursive: true });
  return {
    cache: true,
    write: (number) => {
      mkdirSync(own, { recursive: true });
      const text = content(number);
      writeFileSync(join(own, `${number}-${sumOf(text)}.pb`), text);
      handOver(own, home);
      return Promise.resolve();
    },
    read: () => {
      takePrograms(own, home);
      let last: number | undefined;
      for (const name of readdirSync(own)) {
        const text = readFileSync(join(own, name), 'utf8');
        if (name !== `${numberOf(text)}-${sumOf(text)}.pb`) throw new Error(`${name} holds another program`);
        last = Math.max(last ?? 0, numberOf(text));
      }
      handOver(own, home);
      return Promise.resolve(last);
    },
    leftOvers: () =>
      readdirSync(home).filter(
        (name) => join(home, name) !== own && !/^\d+-[\da-f]{64}\.pb\.[\da-f]{64}\.\d+$/.test(name),
      ),
  };
}
