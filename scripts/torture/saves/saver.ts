// Writes saves of every kind at once, one after the other, saying of each that is done what it is, until it is killed.
// HOME FIRST-NUMBERS, by kind and separated by commas.
import { mkdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { saveKinds, saves } from './save.js';

const [home, first] = process.argv.slice(2) as [string, string];
const numbers = first.split(',').map(Number);
await Promise.all(
  saveKinds.map(async (kind, place) => {
    const own = join(home, kind);
    mkdirSync(own, { recursive: true });
    const save = await saves[kind](own);
    for (let number = numbers[place]!; ; number++) {
      await save.write(number);
      writeSync(1, `${kind} ${number}\n`);
      await setImmediate();
    }
  }),
);
