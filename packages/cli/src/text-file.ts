import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { HypetuneError } from '@hypetune/core';

/** The bytes of a file, unpacked where it ends in `.gz`; throws, naming it, where there is none. */
export async function readBytes(file: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT') throw new HypetuneError(`${file}: there is no such file.`);
    if (code === 'EISDIR') throw new HypetuneError(`${file}: this is a folder, not a file.`);
    throw error;
  }
  if (!file.toLowerCase().endsWith('.gz')) return bytes;
  try {
    return gunzipSync(bytes);
  } catch (error) {
    throw new HypetuneError(`${file}: not a gzip file: ${(error as Error).message}.`);
  }
}

/**
 * The text of a file: in `encoding` if given, else as its byte order mark says, else UTF-8. Throws where its bytes are no text
 * in that encoding.
 */
export async function readText(file: string, encoding?: string): Promise<string> {
  return decodeText(await readBytes(file), file, encoding);
}

/** {@link readText} of bytes that are here already. */
export function decodeText(bytes: Uint8Array, file: string, encoding?: string): string {
  const name = encoding ?? markOf(bytes) ?? 'utf-8';
  let decoder: InstanceType<typeof TextDecoder>;
  try {
    decoder = new TextDecoder(name, { fatal: true });
  } catch {
    throw new HypetuneError(
      `--encoding: '${name}' is not known; as utf-8, utf-16le, windows-1252, iso-8859-2, gb18030, shift_jis.`,
    );
  }
  try {
    return decoder.decode(bytes);
  } catch {
    throw new HypetuneError(
      `${file}${lineOfFault(bytes, name)}: the bytes are no ${name}; say what they are, as --encoding windows-1252.`,
    );
  }
}

function markOf(bytes: Uint8Array): string | undefined {
  const [a, b] = bytes;
  if (a === 0xff && b === 0xfe) return 'utf-16le';
  return a === 0xfe && b === 0xff ? 'utf-16be' : undefined;
}

/** `:7` for the first line that cannot be decoded; empty where characters are of two bytes and lines are not told by one. */
function lineOfFault(bytes: Uint8Array, encoding: string): string {
  if (/utf-?16/i.test(encoding)) return '';
  const decoder = new TextDecoder(encoding, { fatal: true });
  let [line, start] = [1, 0];
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      break;
    }
    line += 1;
    start = end + 1;
  }
  return `:${line}`;
}
