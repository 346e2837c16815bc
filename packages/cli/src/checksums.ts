import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { HypetuneError } from '@hypetune/core';

/** Hashes of a folder's files, in the form of `sha256sum`, which checks it too: `sha256sum -c checksums.sha256`. */
export const CHECKSUMS = 'checksums.sha256';

/** Writes the hash of every file that stands directly in a folder. */
export async function writeChecksums(folder: string): Promise<void> {
  const lines: string[] = [];
  for (const entry of (await readdir(folder, { withFileTypes: true })).sort((a, b) =>
    a.name < b.name ? -1 : 1,
  ))
    if (entry.isFile() && entry.name !== CHECKSUMS)
      lines.push(`${await sha256OfFile(join(folder, entry.name))}  ${entry.name}\n`);
  await writeFile(join(folder, CHECKSUMS), `${lines.join('')}${countLine(lines.length)}\n`);
}

/**
 * Throws where a file of a folder is not the one that was saved: changed, gone, or its list damaged; of files that are not read
 * the hash is not computed. A folder without a list (made by another tool) passes.
 */
export async function checkChecksums(
  folder: string,
  isRead: (name: string) => boolean = () => true,
): Promise<void> {
  for (const { name, hash } of (await readList(folder)) ?? []) {
    if (!isRead(name)) continue;
    const got = await sha256OfFile(join(folder, name)).catch(() => undefined);
    if (got === hash) continue;
    throw new HypetuneError(
      `${join(folder, name)}: ${got === undefined ? 'the file is gone' : 'the file is not the one that was saved'} ` +
        `(its hash is in ${CHECKSUMS}); restore it, or delete ${CHECKSUMS} if you changed it on purpose.`,
    );
  }
}

/** The files of a folder that its list has; undefined without one. */
export async function listedFiles(folder: string): Promise<string[] | undefined> {
  return (await readList(folder))?.map(({ name }) => name);
}

async function readList(
  folder: string,
): Promise<readonly { readonly name: string; readonly hash: string }[] | undefined> {
  const list = await readFile(join(folder, CHECKSUMS), 'utf8').catch(() => undefined);
  if (list === undefined) return undefined;
  const lines = list.split('\n');
  // Without its last line, which sha256sum takes for a comment, a list could have lost others.
  if (lines.pop() !== '' || lines.pop() !== countLine(lines.length))
    throw new HypetuneError(`${join(folder, CHECKSUMS)}: the list is not whole; restore or delete it.`);
  return lines.map((line, place) => {
    const [, hash, name] = /^([0-9a-f]{64}) {2}([^/]+)$/.exec(line) ?? [];
    if (hash === undefined || name === undefined)
      throw new HypetuneError(`${join(folder, CHECKSUMS)}:${place + 1}: this line is damaged.`);
    return { name, hash };
  });
}

const countLine = (files: number): string => `# ${files} files`;

async function sha256OfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path, { highWaterMark: 1 << 20 }), hash);
  return hash.digest('hex');
}
