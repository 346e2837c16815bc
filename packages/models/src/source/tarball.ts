import { readFile, writeFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { archivePath, isDamage, writeEntry } from './archive-path.js';
import { UnpackLimit } from './unpack-limit.js';

const BLOCK = 512;

/** A regular file of a tar archive. */
export interface TarFile {
  readonly name: string;
  readonly data: Uint8Array;
}

/** Unpacks a gzipped tar, without each name's first folder, into `folder`; links and names that lead out are refused. */
export async function untar(archive: string, folder: string, signal?: AbortSignal): Promise<void> {
  const limit = new UnpackLimit(archive);
  const tar = await promisify(gunzip)(await readFile(archive), { maxOutputLength: limit.limit }).catch(
    (error: unknown) => {
      const { code, message } = error as NodeJS.ErrnoException;
      if (isDamage(code))
        throw new Error(`${archive}: damaged tar: ${message}. Download it again.`, { cause: error });
      throw code === 'ERR_BUFFER_TOO_LARGE' ? limit.error() : error;
    },
  );
  for (const { name, data } of tarFiles(tar, archive)) {
    signal?.throwIfAborted();
    archivePath(folder, name, archive);
    const path = archivePath(folder, name.slice(name.indexOf('/') + 1), archive);
    await writeEntry(path, name, archive, () => writeFile(path, data));
  }
}

/** The regular files of an unpacked tar: ustar with its prefix, pax `path` and `size`, and GNU's long names. */
export function* tarFiles(tar: Uint8Array, archive: string): Generator<TarFile> {
  const damaged = (what: string): Error => new Error(`${archive}: damaged tar: ${what}. Download it again.`);
  let pax = new Map<string, string>();
  let longName: string | undefined;
  for (let at = 0; at + BLOCK <= tar.length;) {
    const header = tar.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) return;
    if (octal(header, 148, 8) !== checksum(header)) throw damaged(`wrong checksum at byte ${at}`);
    const size = Number(pax.get('size') ?? octal(header, 124, 12));
    const data = tar.subarray(at + BLOCK, at + BLOCK + size);
    if (!Number.isSafeInteger(size) || data.length !== size) throw damaged('the archive ends inside a file');
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;

    const type = String.fromCharCode(header[156]!);
    if (type === 'x') pax = new Map([...pax, ...paxRecords(data)]);
    else if (type === 'L') longName = text(data, 0, data.length);
    else if (type !== 'g') {
      const prefix = text(header, 257, 5) === 'ustar' ? text(header, 345, 155) : '';
      const short = text(header, 0, 100);
      const name = pax.get('path') ?? longName ?? (prefix === '' ? short : `${prefix}/${short}`);
      pax = new Map();
      longName = undefined;
      if (type === '0' || type === '\0') yield { name, data };
      else if (type !== '5')
        throw new Error(`${archive}: the entry "${name}" is a link; nothing of the archive is used`);
    }
  }
  throw damaged('its end is missing');
}

function text(bytes: Uint8Array, start: number, length: number): string {
  const field = bytes.subarray(start, start + length);
  const end = field.indexOf(0);
  return new TextDecoder().decode(end < 0 ? field : field.subarray(0, end));
}

function octal(bytes: Uint8Array, start: number, length: number): number {
  return Number.parseInt(text(bytes, start, length).trim() || '0', 8);
}

/** The sum of the header's bytes, with the checksum's own field read as spaces. */
function checksum(header: Uint8Array): number {
  return header.reduce((sum, byte, at) => sum + (at >= 148 && at < 156 ? 32 : byte), 0);
}

/** Records `LENGTH KEY=VALUE\n`, whose length in bytes counts the whole record. */
function* paxRecords(data: Uint8Array): Generator<[string, string]> {
  for (let at = 0; at < data.length;) {
    const length = Number.parseInt(text(data, at, 20), 10);
    if (!(length > 0)) return;
    const record = text(data, at, length - 1);
    const start = record.indexOf(' ') + 1;
    const equals = record.indexOf('=');
    yield [record.slice(start, equals), record.slice(equals + 1)];
    at += length;
  }
}
