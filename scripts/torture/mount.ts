import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import koffi from 'koffi';
import { Skipped } from './part.js';

/** Runs a program of the system; throws with what it said. */
function system(...command: readonly [string, ...string[]]): void {
  const { status, stderr, error } = spawnSync(command[0], command.slice(1), { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command.join(' ')}: ${error?.message ?? stderr.trim()}`);
}

/** Throws `Skipped` where file systems cannot be mounted. */
function needRoot(): void {
  if (process.platform !== 'linux' || process.getuid?.() !== 0)
    throw new Skipped('it mounts a file system, which takes root on Linux');
}

/** A file system in memory of so many bytes. */
export function mountMemory(place: string, bytes: number): void {
  needRoot();
  mkdirSync(place, { recursive: true });
  unmount(place);
  try {
    system('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'hypetune-torture', place);
  } catch (error) {
    throw new Skipped((error as Error).message);
  }
}

/** A file with an empty ext4 in it, and where it is to be mounted. */
export function makeImage(image: string, place: string, megabytes: number): void {
  needRoot();
  mkdirSync(place, { recursive: true });
  unmount(place);
  try {
    system('truncate', '-s', `${megabytes}M`, image);
    system('mkfs.ext4', '-q', '-F', image);
    mountImage(image, place);
  } catch (error) {
    throw new Skipped((error as Error).message);
  }
}

/** Mounts the image; what the journal holds is recovered. Nothing is flushed but what is asked for. */
export function mountImage(image: string, place: string): void {
  system('mount', '-t', 'ext4', '-o', 'loop,noauto_da_alloc', image, place);
}

/** Unmounts what is there; nothing happens where nothing is. */
export function unmount(place: string): void {
  if (spawnSync('mountpoint', ['-q', place]).status === 0) system('umount', place);
}

/** `EXT4_IOC_SHUTDOWN` of linux/fs/ext4. */
const SHUTDOWN = 0x8004587d;
/** Without writing the journal: as if the current were cut off. */
const NO_FLUSH = 2;

/** From here on the file system takes nothing, and what was not flushed is lost. */
export function cutPower(place: string): void {
  const ioctl = koffi.load('libc.so.6').func('int ioctl(int, unsigned long, ...)') as (
    ...args: unknown[]
  ) => number;
  const handle = openSync(place, 'r');
  try {
    if (ioctl(handle, SHUTDOWN, 'uint32_t *', [NO_FLUSH]) !== 0)
      throw new Skipped('the file system cannot be shut down');
  } finally {
    closeSync(handle);
  }
}
