/** Ends a benchmark that cannot do what its flags ask for. */
export function refuse(reason: string): never {
  process.stderr.write(`error: ${reason}\n`);
  process.exit(1);
}

/** What a flag names. Refuses, with the names that there are, what is none of them. */
export function nameOf<N extends string>(flag: string, text: string, known: readonly N[]): N {
  const name = known.find((one) => one === text.trim());
  return name ?? refuse(`${flag}: there is no '${text.trim()}'; there are ${known.join(', ')}.`);
}

/** The same of a list with commas, in its order. */
export function namesOf<N extends string>(flag: string, text: string, known: readonly N[]): N[] {
  return text.split(',').map((part) => nameOf(flag, part, known));
}

/** A number of things that a flag gives, 1 at least. Refuses anything else. */
export function countOf(flag: string, text: string): number {
  const count = Number(text);
  return Number.isInteger(count) && count > 0
    ? count
    : refuse(`${flag}: wanted is a whole number from 1 on, got '${text}'.`);
}
