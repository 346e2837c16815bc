import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** An experiment: its protocol, and where its runs are kept. */
export interface Experiment {
  readonly name: string;
  /** What `compare --config` takes, written before its runs. */
  readonly config: string;
  /** Its runs in the repository. */
  readonly records: string;
}

const home = fileURLToPath(new URL('../../evidence/', import.meta.url));

/** Every experiment in `evidence/`, by name. */
export const experiments: readonly Experiment[] = readdirSync(home)
  .filter((file) => file.endsWith('.yaml'))
  .sort()
  .map((file) => {
    const name = file.replace(/\.yaml$/, '');
    return { name, config: `${home}${file}`, records: `${home}records/${name}` };
  });
