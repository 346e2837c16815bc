import { join, normalize, relative, sep } from 'node:path';

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
