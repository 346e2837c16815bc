/**
 * A configuration without `auto_map`, which names Python files of its repository: they are not beside what is written here, and
 * `transformers` has every family itself.
 */
export function withoutRemoteCode(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(config).filter(([name]) => name !== 'auto_map'));
}
