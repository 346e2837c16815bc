import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { holdsRun, readRun, readRunCheckpoint } from '../../../packages/cli/src/run-folder.js';
import { sentiment, tinyModel } from '../../../packages/cli/test/tiny-model.js';
import { bundled } from '../bundle.js';
import { Draws, type Outcome, type Part, Skipped, told, type Trials } from '../part.js';
import { saveKinds, saves } from '../saves/save.js';

const file = (path: string): string => fileURLToPath(new URL(path, import.meta.url));
const SAVER = file('../saves/saver.ts');
/** As it is built: from its sources it takes three times as long to start. */
const MAIN = file('../../../packages/cli/dist/main.js');
/** Milliseconds between a save that is done and the kill: a save takes up to 40. */
const WINDOW = 60;
/** Milliseconds between the first word of a training and its kill: several epochs. */
const TRAINING = 1500;

export const kills: Part = {
  name: 'kills',
  summary:
    'A process that writes six kinds of saves at once and without a pause (runs with checkpoints, finished runs, records, files of results, fetched packages, compiled programs) gets SIGKILL at a random moment, then the next start reads; every fourth time it is hypetune train itself, resumed where it was killed. A fault: a save that had been reported is gone, what is there is not whole, or anything is left beside it.',
  unit: 'kills',
  goal: 1000,
  open: async (folder): Promise<Trials> => {
    const write = (name: string, text: string): string => {
      mkdirSync(join(folder, 'tiny'), { recursive: true });
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    };
    if (!existsSync(MAIN)) throw new Skipped('it needs the command as npm run build makes it');
    const model = await tinyModel({ folder, write });
    const table = write('rows.tsv', sentiment(24));
    const saver = await bundled(SAVER, folder);
    return {
      run: (trial) => {
        const draws = new Draws(trial);
        return trial % 4 === 3
          ? killTraining(join(folder, 'train'), model, table, draws)
          : killSaver(saver, folder, draws);
      },
    };
  },
};

async function killSaver(saver: string, folder: string, draws: Draws): Promise<Outcome> {
  const open = saveKinds.map(async (kind) => {
    const home = join(folder, kind);
    mkdirSync(home, { recursive: true });
    const save = await saves[kind](home);
    return { kind, save, before: (await save.read()) ?? 0 };
  });
  const all = await Promise.all(open);
  const child = start([saver, folder, all.map(({ before }) => before + 1).join()]);
  const done = new Map<string, number>(all.map(({ kind, before }) => [kind, before]));
  createInterface({ input: child.stdout! }).on('line', (line) => {
    const [kind, number] = line.split(' ') as [string, string];
    done.set(kind, Number(number));
  });
  const faults = await killed(child, child.stdout!, WINDOW, draws);
  const kinds: Record<string, number> = {};
  for (const { kind, save } of all) {
    kinds[kind] = 1;
    if (save.leftOvers().length > 0) kinds[HALF] = (kinds[HALF] ?? 0) + 1;
    const after =
      (await save.read().catch((error: unknown) => {
        faults.push(`${kind}: ${told(error)}`);
        return undefined;
      })) ?? 0;
    faults.push(...save.leftOvers().map((name) => `${kind}: left behind: ${name}`));
    const saved = done.get(kind)!;
    if (after < saved || after > saved + 1) faults.push(`${kind}: ${saved} was saved, ${after} is there`);
    if (kind === 'source' || kind === 'programs') rmSync(join(folder, kind), { recursive: true });
  }
  return { kinds, faults };
}

/** Half a save beside the last whole one, as a kill leaves it for the next start. */
const HALF = 'half a save beside';

async function killTraining(home: string, model: string, table: string, draws: Draws): Promise<Outcome> {
  mkdirSync(home, { recursive: true });
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
  const faults = await killed(child, child.stderr!, TRAINING, draws);
  const half = readdirSync(home).some((name) => name !== 'run');
  if (await holdsRun(run)) {
    const { steps } = await readRun(run);
    const { meta } = await readRunCheckpoint(run);
    if (meta.step !== steps) faults.push(`the record is of step ${steps}, the checkpoint of ${meta.step}`);
    if (again && steps < before) faults.push(`step ${before} was saved, ${steps} is there`);
  } else if (again) faults.push(`step ${before} was saved, nothing is there`);
  for (const name of readdirSync(home)) if (name !== 'run') faults.push(`left behind: ${name}`);
  return {
    kinds: { train: 1, ...(half && { [HALF]: 1 }) },
    faults: faults.map((fault) => `train: ${fault}`),
  };
}

function start(args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
}

/** Kills a process at a random moment after its first word, one in ten after its start; a fault if it had ended by itself. */
async function killed(child: ChildProcess, words: Readable, window: number, draws: Draws): Promise<string[]> {
  const said: Buffer[] = [];
  child.stderr!.on('data', (chunk: Buffer) => said.push(chunk));
  const closed = once(child, 'close');
  await Promise.race([
    once(words, 'data'),
    ...(draws.below(10) === 0 ? [sleep(draws.below(1500))] : []),
    closed,
  ]);
  await Promise.race([sleep(draws.next() * window), closed]);
  const ended = child.exitCode;
  child.kill('SIGKILL');
  await closed;
  return ended === null
    ? []
    : [`ended by itself with ${ended}: ${Buffer.concat(said).toString().slice(0, 200)}`];
}
