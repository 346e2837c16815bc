/**
 * npm run torture [-- PART ... --count N --minutes M --state FOLDER --again --publish]
 *
 * Tries to break what is promised: kills, power cuts, damaged files, full disks, hostile input, long runs. A part is a series of
 * numbered trials and goes on where it ended; its state is in FOLDER (default .torture).
 *   --count N    at most N more trials of each part (default: until its goal)
 *   --minutes M  at most M minutes a part (default 2)
 *   --again      only the trials that failed, once more
 *   --publish    write what is known to docs/torture.json, from which `npm run docs` makes docs/reliability.md
 * Exits with 1 where a trial failed that has not been mended.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Part, Skipped, told, type Trials } from './part.js';
import { parts } from './parts/index.js';
import { publish } from './publish.js';
import { lineOf, StateFile } from './state.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: 'Infinity' },
    minutes: { type: 'string', default: '2' },
    state: { type: 'string', default: '.torture' },
    again: { type: 'boolean', default: false },
    publish: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
const unknown = positionals.filter((name) => !parts.some((part) => part.name === name));
if (values.help || unknown.length > 0) {
  const names = parts.map(({ name, goal, unit }) => `  ${name.padEnd(10)} ${goal} ${unit}`);
  console.log(`npm run torture -- [PART ...] [--count N] [--minutes M] [--state FOLDER] [--again] [--publish]
${names.join('\n')}`);
  process.exit(values.help ? 0 : 1);
}
const count = numberOf('count', values.count);
const minutes = numberOf('minutes', values.minutes);
const SAVE_EVERY = 5000;
const interrupt = new AbortController();
process.once('SIGINT', () => {
  interrupt.abort();
});

const asked = parts.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
for (const part of asked) {
  if (asked.length === 1) await runPart(part);
  else runAlone(part);
  // So that Ctrl-C, which has reached a part in its process, is heard here as well.
  await setImmediate();
  if (interrupt.signal.aborted) break;
}
if (values.publish) publish(resolve(values.state));

/** In a process of its own: memory is among what parts measure. */
function runAlone({ name }: Part): void {
  const flags = ['--count', values.count, '--minutes', values.minutes, '--state', values.state];
  if (values.again) flags.push('--again');
  const file = fileURLToPath(import.meta.url);
  const { status } = spawnSync(process.execPath, [...process.execArgv, file, name, ...flags], {
    stdio: 'inherit',
  });
  if (status !== 0) process.exitCode = 1;
}

async function runPart(part: Part): Promise<void> {
  const home = resolve(values.state);
  const kept = new StateFile(`${home}/${part.name}.json`);
  try {
    mkdirSync(`${home}/${part.name}`, { recursive: true });
    const trials = await part.open(`${home}/${part.name}`);
    try {
      delete kept.state.skipped;
      await (values.again ? runAgain(trials, kept) : runOn(part, trials, kept));
    } finally {
      await trials.close?.();
    }
  } catch (error) {
    if (!(error instanceof Skipped)) throw error;
    kept.state.skipped = error.message;
  }
  kept.save();
  console.log(lineOf(part, kept.state));
  for (const [trial, faults] of Object.entries(kept.state.faults).slice(0, 20))
    console.log(`  trial ${trial}: ${faults.slice(0, 3).join(' | ')}`);
  if (Object.keys(kept.state.faults).length > 0) process.exitCode = 1;
}

/** The trials that come next. */
async function runOn({ goal, size = 1 }: Part, trials: Trials, kept: StateFile): Promise<void> {
  const { state } = kept;
  const began = performance.now();
  const secondsBefore = state.seconds;
  const end = Math.min(Math.ceil(goal / size), state.trials + count);
  let saved = began;
  while (state.trials < end && !interrupt.signal.aborted) {
    const trial = state.trials;
    kept.add(trial, await trials.run(trial).catch(asFault));
    const now = performance.now();
    state.seconds = secondsBefore + (now - began) / 1000;
    if (now - began > minutes * 60_000) break;
    if (now - saved < SAVE_EVERY) continue;
    kept.save();
    saved = now;
  }
}

async function runAgain(trials: Trials, kept: StateFile): Promise<void> {
  for (const trial of Object.keys(kept.state.faults))
    kept.again(trial, await trials.run(Number(trial)).catch(asFault));
}

function asFault(error: unknown): { kinds: Record<string, number>; faults: string[] } {
  return { kinds: { failed: 1 }, faults: [told(error)] };
}

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (value > 0) return value;
  console.error(`--${name}: must be a number above 0, got '${text}'.`);
  process.exit(1);
}
