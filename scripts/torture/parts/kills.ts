import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { holdsRun, readRun, readRunCheckpoint } from '../../../packages/cli/src/run-folder.js';
import { sentiment, tinyModel } from '../../../packages/cli/test/tiny-model.js';
import { Draws, type Part, type Trials } from '../part.js';
import { saveKinds, saves } from '../saves/save.js';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SAVER = file('../saves/saver.ts');
const MAIN = file('../../../packages/cli/src/main.ts');
/** Milliseconds between a save that is done and the kill: a save takes up to 40. */
const WINDOW = 60;

/** Seven kinds of saves, the last of them the command itself. */
const kinds = [...saveKinds, 'train'] as const;

export const kills: Part = {
  name: 'kills',
  summary:
    'A process that saves without a pause (runs with checkpoints, finished runs, records, files of results, fetched packages, compiled programs; every seventh time hypetune train itself, resumed where it was killed) gets SIGKILL at a random moment, then the next start reads. A fault: a save that had been reported is gone, what is there is not whole, or anything is left beside it.',
  unit: 'kills',
  goal: 1000,
  open: async (folder): Promise<Trials> => {
    const write = (name: string, text: string): string => {
      mkdirSync(join(folder, 'tiny'), { recursive: true });
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    const model = await tinyModel({ folder, write });
    const table = write('rows.tsv', sentiment(24));
    return {
      run: async (trial) => {
        const kind = kinds[trial % kinds.length]!;
        const home = join(folder, kind);
        mkdirSync(home, { recursive: true });
        const draws = new Draws(trial);
        const { faults, within } =
          kind === 'train'
            ? await killTraining(home, model, table, draws)
            : await killSaver(kind, home, draws);
        return { kinds: { [kind]: 1, ...(within && { 'half a save beside it': 1 }) }, faults };
      },
    };
  },
};

/** What a kill showed, and whether it left half a save for the next start to mend. */
interface Killed {
  readonly faults: string[];
  readonly within: boolean;
}

async function killSaver(kind: (typeof saveKinds)[number], home: string, draws: Draws): Promise<Killed> {
  const save = await saves[kind](home);
  const before = await save.read();
  const child = start([SAVER, kind, home, String((before ?? 0) + 1)]);
  let done = before;
  const began = new Promise<void>((resolve) => {
    child.stdout!.on('data', (text: Buffer) => {
      const lines = text.toString().trim().split('\n');
      done = Number(lines.at(-1));
      resolve();
    });
  });
  // One in ten is killed at the very start.
  await Promise.race([
    began,
    ...(draws.below(10) === 0 ? [sleep(draws.below(1500))] : []),
    once(child, 'exit'),
  ]);
  await sleep(draws.next() * WINDOW);
  const failed = await kill(child);
  if (failed !== undefined) return { faults: [failed], within: false };
  const within = save.leftOvers().length > 0;
  const after = await save.read();
  const faults = save.leftOvers().map((name) => `left behind: ${name}`);
  if ((after ?? 0) < (done ?? 0) || (after ?? 0) > (done ?? 0) + 1)
    faults.push(`${String(done)} was saved, ${String(after)} is there`);
  return { faults: faults.map((fault) => `${kind}: ${fault}`), within };
}

async function killTraining(home: string, model: string, table: string, draws: Draws): Promise<Killed> {
  const run = join(home, 'run');
  const before = (await holdsRun(run)) ? (await readRun(run)).steps : 0;
  // Five kills a run, then a new one.
  if (draws.below(5) === 0) rmSync(run, { recursive: true, force: true });
  const again = existsSync(run);
  const fresh = [
    '--model',
    model,
    '--train',
    table,
    '--validation',
    table,
    '--out',
    run,
    '--epochs',
    '100000',
  ];
  const settings = ['--recipe', 'nodrop', '--batch-size', '8'];
  const child = start([
    MAIN,
    'train',
    '--engine',
    'cpu',
    ...(again ? ['--resume', run] : [...fresh, ...settings]),
  ]);
  await Promise.race([sleep(2500 + draws.below(3000)), once(child, 'exit')]);
  const failed = await kill(child);
  if (failed !== undefined) return { faults: [`train: ${failed}`], within: false };
  const within = readdirSync(home).some((name) => name !== 'run');
  const faults: string[] = [];
  if (await holdsRun(run)) {
    const { steps } = await readRun(run);
    const { meta } = await readRunCheckpoint(run);
    if (meta.step !== steps) faults.push(`the record is of step ${steps}, the checkpoint of ${meta.step}`);
    if (again && steps < before) faults.push(`step ${before} was saved, ${steps} is there`);
  } else if (again) faults.push(`step ${before} was saved, nothing is there`);
  for (const name of readdirSync(home)) if (name !== 'run') faults.push(`left behind: ${name}`);
  return { faults: faults.map((fault) => `train: ${fault}`), within };
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, ['--conditions=development', '--import', 'tsx', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Kills a process; what it said if it had ended by itself. */
async function kill(child: ChildProcess): Promise<string | undefined> {
  const said: Buffer[] = [];
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk));
  const ended = child.exitCode;
  child.kill('SIGKILL');
  if (ended === null) await once(child, 'exit');
  return ended === null
    ? undefined
    : `ended by itself with ${ended}: ${Buffer.concat(said).toString().slice(0, 200)}`;
}
