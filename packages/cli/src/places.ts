import { basename, isAbsolute, relative } from 'node:path';

/** A text in which every absolute path that a value holds is called as `nameOf` has it: by its last part, unless given. */
export function withPlaces(
  text: string,
  value: unknown,
  nameOf: (path: string) => string = basename,
): string {
  return placesIn(value).reduce((done, place) => done.replaceAll(place, nameOf(place)), text);
}

/** A path from here on where it leads into this folder, else its last part: what a text that travels may say. */
export function nearby(path: string): string {
  const short = relative(process.cwd(), path);
  return short === '' || short.startsWith('..') || isAbsolute(short) ? basename(path) : short;
}

/** Every absolute path in a value, the longest first. */
function placesIn(value: unknown): string[] {
  const found = new Set<string>();
  const look = (part: unknown): void => {
    if (typeof part === 'string' && isAbsolute(part) && basename(part) !== '') found.add(part);
    else if (typeof part === 'object' && part !== null) Object.values(part).forEach(look);
  };
  look(value);
  return [...found].sort((a, b) => b.length - a.length);
}
