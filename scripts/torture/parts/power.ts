import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cutPower, makeImage, mountImage, unmount } from '../mount.js';
import { Draws, type Part, type Trials } from '../part.js';
import { saveKinds, saves } from '../saves/save.js';

/** Milliseconds into saving at which the current is cut off at the latest. */
const WINDOW = 150;
/** Caches grow with every write. */
const CACHED = 50;

export const power: Part = {
  name: 'power',
  summary:
    'The same saves on an ext4 file system (a loop image), which is shut down without flushing at a random moment while they are written; it is mounted again, its journal recovered, and read. A fault: a save that had been reported is gone (what can be fetched or made again aside), what is there is not whole, or anything is left beside it.',
  unit: 'power cuts',
  goal: 500,
  open: (folder): Promise<Trials> => {
    const [image, place] = [join(folder, 'image'), join(folder, 'mounted')];
    makeImage(image, place, 64);
    return Promise.resolve({
      run: async (trial) => {
        const kind = saveKinds[trial % saveKinds.length]!;
        const home = join(place, kind);
        mkdirSync(home, { recursive: true });
        const save = await saves[kind](home);
        let done = await save.read();
        const cut = new AbortController();
        const writing = (async (): Promise<void> => {
          const first = (done ?? 0) + 1;
          for (let number = first; !save.cache || number < first + CACHED; number++) {
            await save.write(number);
            if (cut.signal.aborted) return;
            done = number;
          }
        })().catch((error: unknown) => {
          if (!cut.signal.aborted) throw error;
        });
        await Promise.race([sleep(new Draws(trial).next() * WINDOW), writing]);
        cut.abort();
        cutPower(place);
        await writing;
        unmount(place);
        mountImage(image, place);
        mkdirSync(home, { recursive: true });
        const after = await save.read();
        const faults = save.leftOvers().map((name) => `left behind: ${name}`);
        const gone = (after ?? 0) < (done ?? 0);
        if (gone && !save.cache) faults.push(`${String(done)} was saved, ${String(after)} is there`);
        const again = gone && save.cache ? { 'fetched or made again': 1 } : {};
        if (kind === 'programs' || kind === 'source') rmSync(home, { recursive: true });
        return { kinds: { [kind]: 1, ...again }, faults: faults.map((fault) => `${kind}: ${fault}`) };
      },
      close: () => {
        unmount(place);
      },
    });
  },
};
