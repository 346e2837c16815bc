import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { writeChecksums } from '../../../packages/cli/src/checksums.js';
import { writeCheckpoint } from '../../../packages/cli/src/checkpoint.js';
import { readRun, readRunCheckpoint } from '../../../packages/cli/src/run-folder.js';
import { call } from '../../../packages/cli/test/call.js';
import { sentiment, tinyModel } from '../../../packages/cli/test/tiny-model.js';
import { ownFolder, takePrograms } from '../../../packages/engine/src/compile/program-cache.js';
import { entryFolder, readEntry } from '../../../packages/models/src/source/cache.js';
import { Draws, type Part, told, type Trials } from '../part.js';
import { openPrograms, openSource } from '../saves/files.js';

/** What damage to a file showed: an error, or nothing wrong that reaches a reader. */
type Seen = 'found' | 'without effect' | 'silent';

export const flips: Part = {
  name: 'flips',
  summary:
    'A bit of a file is flipped, or (every fifth time) its end is cut off: of a saved run with its checkpoint, of a fetched package, of a compiled program (which is hashed again because its time of writing is another). A fault: the run is read, predicted with or gone on with, the package or the program used, and what is used is not what was saved.',
  unit: 'flips',
  goal: 2000,
  open: async (folder): Promise<Trials> => {
    rmSync(folder, { recursive: true, force: true });
    const run = await savedRun(folder);
    const { out: whole } = await predicted(run);
    const cache = join(folder, 'cache');
    const source = openSource(cache);
    await source.write(1);
    const programs = join(folder, 'programs');
    const program = openPrograms(programs);
    for (const number of [1, 2, 3]) await program.write(number);
    const entry = entryFolder(cache, { kind: 'npm', text: 'npm:x', name: 'x', version: '1' });

    const targets: Readonly<Record<string, [home: string, look: (trial: number) => Promise<Seen>]>> = {
      run: [run, (trial) => (trial % 50 === 0 ? lookByCommand(run, whole) : lookAtRun(run))],
      package: [entry, () => lookAtPackage(entry)],
      program: [programs, () => lookAtPrograms(programs)],
    };
    return {
      run: async (trial) => {
        const draws = new Draws(trial);
        const target = draws.of(['run', 'run', 'run', 'package', 'program']);
        const [home, look] = targets[target]!;
        const name = draws.of(filesOf(home));
        const bytes = new Uint8Array(readFileSync(join(home, name)));
        writeFileSync(join(home, name), damaged(bytes, draws));
        const seen = await look(trial);
        writeFileSync(join(home, name), bytes);
        return {
          kinds: { [`${target}, ${seen}`]: 1 },
          ...(seen === 'silent' && { faults: [`${target}: ${name} is damaged, and nothing is said`] }),
        };
      },
    };
  },
};

const filesOf = (home: string): string[] =>
  readdirSync(home, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(home.length + 1))
    .sort();

function damaged(bytes: Uint8Array, draws: Draws): Uint8Array {
  if (draws.below(5) === 0) return bytes.slice(0, draws.below(bytes.length));
  const result = bytes.slice();
  const at = draws.below(bytes.length);
  result[at] = result[at]! ^ (1 << draws.below(8));
  return result;
}

/** A run that hypetune train saved, with a checkpoint beside it. */
async function savedRun(folder: string): Promise<string> {
  const write = (name: string, text: string): string => {
    mkdirSync(join(folder, 'tiny'), { recursive: true });
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const model = await tinyModel({ folder, write });
  const table = write('rows.tsv', sentiment(24));
  const run = join(folder, 'run');
  const rows = ['--train', table, '--validation', table, '--engine', 'cpu', '--recipe', 'nodrop'];
  const { code, error } = await call('train', '--model', model, ...rows, '--epochs', '1', '--out', run);
  if (code !== 0) throw new Error(error);
  const data = Float32Array.from({ length: 5000 }, (_, i) => Math.sin(i));
  await writeCheckpoint(join(run, 'checkpoint.safetensors'), {
    meta: { version: 1, seed: 0, step: 3, total: 9, plugins: {} },
    tensors: { x: { dtype: 'float32', shape: [5000], data } },
  });
  await writeChecksums(run);
  return run;
}

const predicted = (run: string): ReturnType<typeof call> =>
  call('predict', run, 'the film was good', '--engine', 'cpu');

/** Predicting reads no checkpoint, so that a damaged one has no effect. */
async function lookByCommand(run: string, whole: string): Promise<Seen> {
  const { code, out, error } = await predicted(run);
  if (code === 1 && error.includes('error: ')) return 'found';
  return out === whole ? 'without effect' : 'silent';
}

async function lookAtRun(run: string): Promise<Seen> {
  try {
    await readRun(run);
    await readRunCheckpoint(run);
    return 'silent';
  } catch (error) {
    if (error instanceof HypetuneError) return 'found';
    throw new Error(told(error), { cause: error });
  }
}

async function lookAtPackage(entry: string): Promise<Seen> {
  const read = await readEntry(entry);
  if (!read || 'damage' in read) return 'found';
  const whole = ['a.txt', 'b.txt'].every((name) =>
    readFileSync(join(read.folder, name), 'utf8').endsWith('\n1'),
  );
  return whole ? 'without effect' : 'silent';
}

function lookAtPrograms(programs: string): Promise<Seen> {
  // Damaged ones are removed: the others are put back.
  const kept = `${programs}.kept`;
  cpSync(programs, kept, { recursive: true });
  const own = ownFolder(programs);
  takePrograms(own, programs);
  const shown = readdirSync(own).length;
  rmSync(programs, { recursive: true });
  cpSync(kept, programs, { recursive: true });
  rmSync(kept, { recursive: true });
  return Promise.resolve(shown === 2 ? 'found' : 'silent');
}
