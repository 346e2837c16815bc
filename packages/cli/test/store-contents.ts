import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Every file of a store of runs and its text; what differs from time to time left out. */
export function contents(store: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(store, { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(store, name)).isFile())
      .filter((name) => !name.endsWith('cost.json') && !/^(plans|locks)/.test(name))
      .sort()
      .map((name) => [name, readFileSync(join(store, name), 'utf8')]),
  );
}
