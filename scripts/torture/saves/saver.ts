// Writes saves one after the other, saying the number of each that is done, until it is killed: KIND HOME FIRST-NUMBER.
import { writeSync } from 'node:fs';
import { type SaveKind, saves } from './save.js';

const [kind, home, first] = process.argv.slice(2) as [SaveKind, string, string];
const save = await saves[kind](home);
for (let number = Number(first); ; number++) {
  await save.write(number);
  writeSync(1, `${number}\n`);
}
