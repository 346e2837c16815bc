/** By flag, what this package wants it to be. */
const OWN = {
  // XLA's processor code drops NaN from the largest and smallest of numbers, unless told not to.
  xla_cpu_enable_fast_min_max: 'false',
  // The next levels take a fifth longer to compile, and their steps as long.
  xla_backend_optimization_level: '1',
};

/**
 * The value of XLA_FLAGS with what this package wants added. What the user has set of it stays, as does the name of a
 * file of flags, which XLA takes instead of flags.
 */
export function withOwnXlaFlags(given: string = ''): string {
  const flags = given.trim();
  if (flags !== '' && !flags.startsWith('-')) return flags;
  const added = Object.entries(OWN)
    .filter(([name]) => !flags.includes(name))
    .map(([name, value]) => `--${name}=${value}`);
  return [flags, ...added].filter(Boolean).join(' ');
}
