import { statSync } from 'node:fs';

/** An archive may always unpack to so many bytes. */
const ALLOWED = 2 ** 28;
/** Beyond that, to so many times its own size; the densest of real packages reach 5. */
const RATIO = 20;

/**
 * Counts what an archive unpacks to, and throws where it becomes more than 256 MB and 20 times its own size, or than
 * HYPETUNE_UNPACK_LIMIT bytes if that is set: such an archive is made to fill a disk.
 */
export class UnpackLimit {
  readonly #archive: string;
  readonly limit: number;
  #bytes = 0;

  constructor(archive: string) {
    this.#archive = archive;
    const set = process.env.HYPETUNE_UNPACK_LIMIT;
    if (set !== undefined && !/^[1-9]\d*$/.test(set))
      throw new Error(`HYPETUNE_UNPACK_LIMIT must be a number of bytes, got '${set}'.`);
    this.limit = set === undefined ? Math.max(ALLOWED, RATIO * statSync(archive).size) : Number(set);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes > this.limit) throw this.error();
  }

  error(): Error {
    return new Error(
      `${this.#archive}: it unpacks to more than ${this.limit} bytes, so nothing of it is used; set HYPETUNE_UNPACK_LIMIT (bytes) if it is right.`,
    );
  }
}
