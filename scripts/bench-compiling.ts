/**
 * `npm run bench -- compiling [--shapes MiniLM-L6,BERT-base] [--settings float32,bfloat16] [--rows 16] [--lengths 64,96] [--steps 6]
 * [--rounds 3]`: what compiling adds to the first step of a trainer (dropout, clipping) and to the first of each further length,
 * each setting in a process of its own, in turns, where no programs are kept and where those of an earlier process are found.
 * Medians over the rounds; a later step is the median of those behind the second.
 */
import { parseArgs } from 'node:util';
import { median } from '@hypetune/statistics';
import { countOf, namesOf } from '../packages/engine/bench/flags.js';
import { table } from '../packages/cli/src/report/table.js';
import { berts, trainApart } from './bench-fits.js';

const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'MiniLM-L6,BERT-base' },
    settings: { type: 'string', default: 'float32,bfloat16' },
    rows: { type: 'string', default: '16' },
    lengths: { type: 'string', default: '64,96' },
    steps: { type: 'string', default: '6' },
    rounds: { type: 'string', default: '3' },
  },
});

const names = namesOf('--shapes', values.shapes, Object.keys(berts));
const settings = namesOf('--settings', values.settings, ['float32', 'bfloat16']);
const size = {
  rows: countOf('--rows', values.rows),
  lengths: values.lengths.split(',').map((text) => countOf('--lengths', text)),
  steps: countOf('--steps', values.steps) + 2,
};
const rounds = countOf('--rounds', values.rounds);
const lines: string[][] = [];
for (const name of names) {
  const measured = new Map<string, (readonly (readonly number[])[])[]>();
  const add = (setting: string, programs: string, environment: Readonly<Record<string, string>>): void => {
    const key = `${setting}, ${programs}`;
    const { seconds } = trainApart(name, size, setting, environment);
    measured.set(key, [...(measured.get(key) ?? []), seconds]);
  };
  // So that there are programs to find.
  for (const setting of settings) trainApart(name, size, setting);
  for (let round = 0; round < rounds; round++) {
    for (const setting of settings) {
      add(setting, 'no programs', { HYPETUNE_PROGRAM_CACHE: 'off' });
      add(setting, 'programs found', {});
    }
  }
  for (const [key, processes] of measured) {
    size.lengths.forEach((length, i) => {
      const first = median(processes.map((seconds) => seconds[i]![0]!));
      const later = median(processes.flatMap((seconds) => seconds[i]!.slice(2)));
      lines.push([name, key, String(length), first.toFixed(2), later.toFixed(2), (first - later).toFixed(2)]);
    });
  }
}
console.log(table(['shape', 'setting', 'length', 'first s', 'later s', 'compiling s'], lines));
