import { readFileSync } from 'node:fs';

/** Mappings that a large program may need, and the rest of the process beside it. */
const RESERVE = 8_000;

/**
 * Whether the process has used up nearly all memory mappings that Linux grants it. A compiled step takes 500 to 1,000 of
 * them, and LLVM ends the process when it gets none. False where nothing is known.
 */
export function isCrowded(): boolean {
  try {
    const most = Number(readFileSync('/proc/sys/vm/max_map_count', 'latin1'));
    return countLines(readFileSync('/proc/self/maps')) > most - RESERVE;
  } catch {
    return false;
  }
}

function countLines(text: Uint8Array): number {
  let lines = 0;
  for (let at = text.indexOf(10); at >= 0; at = text.indexOf(10, at + 1)) lines++;
  return lines;
}
