import { createHash } from 'node:crypto';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { processorFeatures } from '../libtensorflow/processor.js';
import { digest } from '../recording/digest.js';
import type { Client } from './client.js';
import type { CompilerSettings } from './compile-options.js';

/** Bytes of executables to keep; those not used for longest go first. */
const LIMIT = 512e6;
/** Milliseconds from which on compiling is worth a file. */
const WORTHWHILE = 250;
/** Hexadecimal digits of the checksum before an executable. */
const SUM = 64;

/** Compiles programs; what took long is kept on disk for later processes with the same plugin and device. */
export class Executables {
  readonly #client: Client;
  readonly #settings: CompilerSettings;
  readonly #folder: string | undefined;
  readonly #worthwhile: number;

  /** `cache` is the folder that programs are kept in, those that take longer than `worthwhile` ms; undefined: nowhere. */
  constructor(
    client: Client,
    settings: CompilerSettings,
    cache: string | undefined,
    worthwhile: number = WORTHWHILE,
  ) {
    this.#worthwhile = worthwhile;
    this.#client = client;
    this.#settings = settings;
    const { plugin, platform, platformVersion, deviceKind } = client;
    const device = platform === 'cpu' ? [cpus()[0]?.model, processorFeatures(), cpus().length] : [deviceKind];
    const isOff = process.env['HYPETUNE_PROGRAM_CACHE'] === 'off';
    this.#folder =
      cache === undefined || isOff
        ? undefined
        : join(cache, 'programs', `pjrt-${digest([plugin.version, platform, platformVersion, device])}`);
  }

  /** The executable of a program; the caller destroys it. */
  make(text: string): number {
    const name = digest([text, this.#settings]);
    const kept = this.#load(name);
    if (kept !== undefined) return kept;
    const start = performance.now();
    const executable = this.#client.compile(text, this.#settings);
    if (performance.now() - start > this.#worthwhile) this.#keep(name, executable);
    return executable;
  }

  #load(name: string): number | undefined {
    if (this.#folder === undefined) return undefined;
    const path = join(this.#folder, name);
    let content: Buffer;
    try {
      content = readFileSync(path);
    } catch {
      return undefined;
    }
    const bytes = content.subarray(SUM);
    const isWhole = content.subarray(0, SUM).toString() === checksum(bytes);
    const executable = isWhole ? this.#client.deserialize(bytes) : undefined;
    try {
      if (executable === undefined) rmSync(path, { force: true });
      else utimesSync(path, new Date(), new Date());
    } catch {
      // A cache that only others may write to.
    }
    return executable;
  }

  #keep(name: string, executable: number): void {
    if (this.#folder === undefined) return;
    const bytes = this.#client.serialize(executable);
    if (bytes === undefined) return;
    try {
      mkdirSync(this.#folder, { recursive: true });
      const partial = join(this.#folder, `${name}.partial-${process.pid}`);
      writeFileSync(partial, Buffer.concat([Buffer.from(checksum(bytes)), bytes]));
      renameSync(partial, join(this.#folder, name));
      removeOldest(this.#folder);
    } catch {
      // A cache that cannot be written is none.
    }
  }
}

function removeOldest(folder: string): void {
  const newestFirst = readdirSync(folder)
    .map((name) => ({ path: join(folder, name), stat: statSync(join(folder, name)) }))
    .sort((a, b) => b.stat.mtimeMs - a.stat.mtimeMs);
  let bytes = 0;
  for (const { path, stat } of newestFirst) {
    bytes += stat.size;
    if (bytes > LIMIT) rmSync(path, { force: true });
  }
}

const checksum = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
