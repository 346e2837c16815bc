import { createHash } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { availableParallelism, cpus, hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { isAlive } from '../install/lock.js';
import { processorFeatures } from '../libtensorflow/processor.js';
import { withOwnXlaFlags } from '../libtensorflow/xla-flags.js';
import { digest } from '../recording/digest.js';

/** Bytes of programs to keep; the oldest go first. A program of MiniLM's size has 5 MB. */
const LIMIT = 512e6;
/** Without so much space on the disk none is kept: XLA fails where it cannot write. */
const SPACE = 2 * LIMIT;
const OWN = 'process-';
/** This machine or container, as a part of a file's name: machines of one kind may share a cache. */
const HOST = hostname().replace(/[^\w.-]/g, '_');
const OWN_FLAGS = /\s*--tf_xla_persistent_cache_directory="[^"]*process-\d+-[\w.-]+"/;
/** A folder of another machine's process, of which it is not known whether it lives, is left alone for so long. */
const STALE_MILLISECONDS = 7 * 24 * 3600 * 1000;

/** XLA reads its flags once a process. */
let asked = false;

/**
 * Keeps what XLA compiles from one process to the next, in `cache/programs`, until HYPETUNE_PROGRAM_CACHE is `off`. XLA
 * looks a program up by its whole text and writes its file in place, so each process gets a folder of its own, with
 * links to the programs that are whole, and hands its new ones over, with their checksums, as it ends. To be called before TensorFlow of
 * this `version` is loaded.
 */
export function keepPrograms(cache: string, version: string): void {
  if (asked) return;
  asked = true;
  // Without what a parent process has put there for itself.
  const flags = (process.env['TF_XLA_FLAGS'] ?? '').replace(OWN_FLAGS, '');
  const isOff = process.env['HYPETUNE_PROGRAM_CACHE'] === 'off';
  if (isOff || flags.includes('persistent_cache') || !isMainThread) return;
  const folder = join(cache, 'programs', machineKey(version));
  const own = ownFolder(folder);
  if (own.includes('"')) return;
  try {
    mkdirSync(folder, { recursive: true });
    if (freeBytes(folder) < SPACE) return;
    takePrograms(own, folder);
  } catch {
    return; // A cache that cannot be used is none.
  }
  // XLA reports a program that it finds as an error of its text parser, and one for this very processor as foreign.
  process.env['TF_CPP_MIN_LOG_LEVEL'] ??= '3';
  process.env['TF_XLA_FLAGS'] = `${flags} --tf_xla_persistent_cache_directory="${own}"`.trim();
  inUse = { own, folder };
  process.on('exit', () => {
    try {
      handOver(own, folder);
    } catch {
      // Another process may be tidying up the same folder.
    }
    if (inUse?.spare !== undefined) rmSync(inUse.spare, { recursive: true, force: true });
  });
}

/**
 * After a function did not compile for a reason that may lie in the programs kept: drops them all, and gives XLA a folder in
 * memory where it cannot write on the disk. Whether it is worth another try.
 */
export function repairPrograms(): boolean {
  if (inUse === undefined || repairs >= REPAIRS) return false;
  repairs++;
  const { own, folder } = inUse;
  try {
    for (const { file } of keptPrograms(folder)) rmSync(join(folder, file), { force: true });
    rmSync(own, { recursive: true, force: true });
    if (freeBytes(folder) > SPACE / 10) mkdirSync(own);
    else {
      inUse.spare ??= mkdtempSync(join(existsSync(MEMORY) ? MEMORY : tmpdir(), 'hypetune-programs-'));
      symlinkSync(inUse.spare, own);
    }
    return true;
  } catch {
    return false;
  }
}

/** A folder that Linux keeps in memory. */
const MEMORY = '/dev/shm';
/** Attempts a process makes. */
const REPAIRS = 3;
let repairs = 0;
let inUse: { readonly own: string; readonly folder: string; spare?: string } | undefined;

const freeBytes = (folder: string): number => {
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize;
};

/** Where XLA of this process reads and writes. */
export const ownFolder = (folder: string): string => join(folder, `${OWN}${process.pid}-${HOST}`);

/** Makes `own` with links to the programs of `folder` that are whole; damaged ones, and what killed processes left, go. */
export function takePrograms(own: string, folder: string): void {
  rmSync(own, { recursive: true, force: true }); // of a killed process that had the same number
  mkdirSync(own, { recursive: true });
  removeLeftOvers(folder);
  for (const kept of keptPrograms(folder)) linkIfWhole(kept, folder, own);
}

/** Moves the programs that `folder` lacks into it, removes `own` and, beyond the limit, the oldest programs. */
export function handOver(own: string, folder: string, limit: number = LIMIT): void {
  const known = new Set(keptPrograms(folder).map(({ name }) => name));
  for (const name of readdirSync(own).filter((file) => file.endsWith('.pb'))) {
    if (known.has(name)) continue;
    const path = join(own, name);
    flush(path);
    renameSync(path, join(folder, keptName({ name, sum: checksum(path) }, path)));
  }
  rmSync(own, { recursive: true });
  const newestFirst = keptPrograms(folder)
    .map(({ file }) => ({ file: join(folder, file), stat: statSync(join(folder, file)) }))
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
  let bytes = 0;
  for (const { file, stat } of newestFirst) {
    bytes += stat.size;
    if (bytes > limit) rmSync(file, { force: true });
  }
}

/** A program in the folder of all processes: its file is named as XLA names it, by what is in it, and by when it was written. */
interface KeptProgram {
  readonly file: string;
  readonly name: string;
  readonly sum: string;
  /** Milliseconds; a file that was written at another time is read and compared with its sum again. */
  readonly time: string | undefined;
}

function keptPrograms(folder: string): KeptProgram[] {
  return readdirSync(folder).flatMap((file) => {
    const [, name, sum, time] = /^(.*\.pb)\.([\da-f]{64})(?:\.(\d+))?$/.exec(file) ?? [];
    return name !== undefined && sum !== undefined ? [{ file, name, sum, time }] : [];
  });
}

const timeOf = (path: string): string => String(Math.floor(statSync(path).mtimeMs));

const keptName = ({ name, sum }: Pick<KeptProgram, 'name' | 'sum'>, path: string): string =>
  `${name}.${sum}.${timeOf(path)}`;

/** Brings a file onto the disk before it gets the name by which it is trusted. */
function flush(path: string): void {
  const file = openSync(path, 'r+');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}

/** Shows a program to this process, or removes it if it is damaged. */
function linkIfWhole(program: KeptProgram, folder: string, own: string): void {
  const path = join(folder, program.file);
  const isUnchanged = timeOf(path) === program.time;
  if (!isUnchanged && checksum(path) !== program.sum) {
    rmSync(path, { force: true });
    return;
  }
  linkSync(path, join(own, program.name));
  if (!isUnchanged) renameSync(path, join(folder, keptName(program, path)));
}

const checksum = (file: string): string => createHash('sha256').update(readFileSync(file)).digest('hex');

/** Removes the folders of processes that were killed; a file in them may be cut short. */
function removeLeftOvers(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(OWN)) continue;
    const path = join(folder, name);
    const [pid, ...host] = name.slice(OWN.length).split('-');
    const isLeftOver =
      host.join('-') === HOST
        ? !isAlive(Number(pid))
        : Date.now() - statSync(path).mtimeMs > STALE_MILLISECONDS;
    if (isLeftOver) rmSync(path, { recursive: true, force: true });
  }
}

/** Programs are for one TensorFlow, one processor with its instructions, and its number of cores. */
function machineKey(version: string): string {
  const parts = [version, process.arch, cpus()[0]?.model, processorFeatures(), availableParallelism()];
  return digest([...parts, withOwnXlaFlags(process.env['XLA_FLAGS'])]);
}
