/** The candidate that a misspelt word most likely meant: at most a third of its letters wrong; undefined if none is as close. */
export function similar(word: string, candidates: Iterable<string>): string | undefined {
  let best: string | undefined;
  let least = Math.max(1, Math.floor(word.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < least) [best, least] = [candidate, distance];
  }
  return best;
}

/** Insertions, deletions, substitutions and swaps of neighbours from one text to the other (Damerau, 1964). */
function editDistance(from: string, to: string): number {
  let before: number[] = [];
  let row = Array.from({ length: to.length + 1 }, (_, place) => place);
  for (let i = 1; i <= from.length; i++) {
    const next = [i];
    for (let j = 1; j <= to.length; j++) {
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const other = row[j - 1]! + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, other, swapped ? before[j - 2]! + 1 : Infinity));
    }
    [before, row] = [row, next];
  }
  return row[to.length]!;
}

/** `'scal', did you mean 'scale'?`, or, where none is close, `'x'; it has 'scale', 'noise'.`; `verb` is `it has` or `there are`. */
export function unknownName(word: string, known: readonly string[], verb: string): string {
  const meant = similar(word, known);
  if (meant !== undefined) return `'${word}', did you mean '${meant}'?`;
  return `'${word}'; ${verb} ${known.map((name) => `'${name}'`).join(', ')}.`;
}
