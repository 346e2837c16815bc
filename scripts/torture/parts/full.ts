import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountMemory, unmount } from '../mount.js';
import { type Part, told, type Trials } from '../part.js';
import { saveKinds, saves } from '../saves/save.js';

const PAGE = 4096;
/** More than any of the saves takes. */
const PAGES = 110;

export const full: Part = {
  name: 'full',
  summary: `Each kind of save on a file system with 0, 1, 2, ... ${PAGES - 1} free pages of 4 kB, so that the disk is full at every write of it. A fault: the save before is not there and whole, anything is left beside it, the error does not say that there is no space, or the next save does not work when there is some.`,
  unit: 'saves',
  goal: PAGES * saveKinds.length,
  open: (folder): Promise<Trials> => {
    const place = join(folder, 'mounted');
    mountMemory(place, 4e6);
    const ballast = join(place, 'ballast');
    return Promise.resolve({
      run: async (trial) => {
        const kind = saveKinds[trial % saveKinds.length]!;
        const pages = Math.floor(trial / saveKinds.length) % PAGES;
        const home = join(place, kind);
        rmSync(home, { recursive: true, force: true });
        mkdirSync(home);
        const save = await saves[kind](home);
        await save.write(1);
        const faults: string[] = [];
        const { bavail, bsize } = statfsSync(place);
        writeFileSync(ballast, new Uint8Array(Math.max(0, bavail * bsize - pages * PAGE)));
        let said: string | undefined;
        try {
          await save.write(2);
        } catch (error) {
          said = told(error);
        }
        if (said !== undefined && !/no space|ENOSPC/i.test(said)) faults.push(`it said ${said}`);
        const left = save.leftOvers();
        if (said !== undefined && left.length > 0) faults.push(`left behind: ${left.join(', ')}`);
        rmSync(ballast);
        const number = await save.read();
        if (number !== (said === undefined ? 2 : 1))
          faults.push(`${String(number)} is there after ${said ?? 'success'}`);
        await save.write(3);
        if ((await save.read()) !== 3) faults.push('the next save is not there');
        rmSync(home, { recursive: true });
        const outcome = said === undefined ? 'there was space' : 'refused';
        return {
          kinds: { [outcome]: 1 },
          faults: faults.map((fault) => `${kind}, ${pages} pages: ${fault}`),
        };
      },
      close: () => {
        unmount(place);
      },
    });
  },
};
