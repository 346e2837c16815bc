import koffi from 'koffi';

/** Returns freed memory to the system, which glibc keeps where anything above it lives; does nothing with another C library. */
export function returnFreedMemory(): void {
  let trim: (keep: number) => number;
  try {
    trim = koffi.load(null).func('malloc_trim', 'int', ['size_t']) as typeof trim;
  } catch {
    return;
  }
  trim(0);
}
