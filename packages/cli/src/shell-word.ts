/** A word as a shell has to be given it. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}

/** A command as a shell has to be given it. */
export const shellLine = (words: readonly string[]): string => words.map(shellWord).join(' ');
