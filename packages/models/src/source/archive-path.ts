import { mkdir } from 'node:fs/promises';
import { dirname, join, normalize, relative, sep } from 'node:path';

/** Where an archive's entry goes inside `folder`; throws where its name leads out of it. */
export function archivePath(folder: string, name: string, archive: string): string {
  const path = join(folder, normalize(name));
  const inside = relative(folder, path);
  if (
    inside === '' ||
    inside === '..' ||
    inside.startsWith(`..${sep}`) ||
    /^[/\\]|\\|\0|^[A-Za-z]:/.test(name)
  ) {
    throw new Error(
      `${archive}: the entry "${name}" leads out of the archive's own folder; nothing of it is used`,
    );
  }
  return path;
}

/** Whether an error's code is that of content that cannot be decompressed. */
export const isDamage = (code = ''): boolean => code.startsWith('Z_');

/** Writes an entry to its place; throws where it is damaged or another entry of the archive is there. */
export async function writeEntry(
  path: string,
  name: string,
  archive: string,
  write: () => Promise<void>,
): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await write();
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException;
    if (isDamage(code))
      throw new Error(`${archive}: the entry "${name}" is damaged: ${message}. Download it again.`, {
        cause: error,
      });
    if (!['EEXIST', 'ENOTDIR', 'EISDIR'].includes(code)) throw error;
    throw new Error(
      `${archive}: the entry "${name}" has the place of another one; nothing of the archive is used`,
      { cause: error },
    );
  }
}
