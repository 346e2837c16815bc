/** XLA's processor code drops NaN from the largest and smallest of numbers, unless told not to. */
const KEEP_NAN = '--xla_cpu_enable_fast_min_max=false';

/**
 * The value of XLA_FLAGS with what this package wants added. What the user has set of it stays, as does the name of a
 * file of flags, which XLA takes instead of flags.
 */
export function withOwnXlaFlags(given: string = ''): string {
  const flags = given.trim();
  if (flags !== '' && !flags.startsWith('-')) return flags;
  if (flags.includes('xla_cpu_enable_fast_min_max')) return flags;
  return `${flags} ${KEEP_NAN}`.trim();
}
