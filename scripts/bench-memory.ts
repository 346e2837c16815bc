/**
 * `npm run bench -- memory [--shapes BERT-base,BERT-large] [--rows 16] [--length 128] [--steps 2] [--settings LIST]`: how much memory
 * a process that trains a BERT holds at most, compiling included, each setting in a process of its own. A setting is a precision,
 * `+recompute` behind it if so wanted. `state` is what weights, gradients and both moments need as float32; `start` is what a
 * process holds that trains one row of 8 tokens, so that the difference to it is what the rows of the batch take.
 */
import { parseArgs } from 'node:util';
import { countOf, namesOf } from '../packages/engine/bench/flags.js';
import { table } from '../packages/cli/src/report/table.js';
import { berts, trainApart } from './bench-fits.js';

const SETTINGS = ['float32', 'float32+recompute', 'bfloat16', 'bfloat16+recompute'];
const { values } = parseArgs({
  options: {
    shapes: { type: 'string', default: 'BERT-base,BERT-large' },
    settings: { type: 'string', default: SETTINGS.join() },
    rows: { type: 'string', default: '16' },
    length: { type: 'string', default: '128' },
    steps: { type: 'string', default: '2' },
  },
});

const lines: string[][] = [];
const names = namesOf('--shapes', values.shapes, Object.keys(berts));
const settings = namesOf('--settings', values.settings, SETTINGS);
const [rows, length] = [countOf('--rows', values.rows), countOf('--length', values.length)];
const steps = countOf('--steps', values.steps);
for (const name of names) {
  for (const setting of settings) {
    const start = trainApart(name, { rows: 1, lengths: [8], steps: 1 }, setting);
    const full = trainApart(name, { rows, lengths: [length], steps }, setting);
    const state = (16 * full.parameters) / 2 ** 20;
    lines.push([
      ...[name, setting, state.toFixed(0), start.peak.toFixed(0), full.peak.toFixed(0)],
      ...[(full.peak - start.peak).toFixed(0), full.seconds[0]!.at(-1)!.toFixed(2)],
    ]);
  }
}
console.log(table(['shape', 'setting', 'state MiB', 'start MiB', 'peak MiB', 'rows MiB', 's a step'], lines));
