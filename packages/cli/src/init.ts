import { existsSync, mkdirSync, statSync, writeFileSync } from 'node:fs';
import { basename, join, relative, resolve } from 'node:path';
import { HypetuneError } from '@hypetune/core';
import { readJson } from './json-file.js';
import { RUN_RECORD } from './run-folder.js';
import { STORE_MARK } from './store/store.js';

const CONFIG = 'hypetune.yaml';

/** Folders that the command replaces or fills itself. */
const OURS = { [RUN_RECORD]: 'a saved run', [STORE_MARK]: 'a store of runs' };

const SETTINGS = `# yaml-language-server: $schema=./node_modules/hypetune/config.schema.json
train: ./data.csv
textColumn: text
labelColumn: label
recipe: hype
epochs: 3
`;

/** A dozen rows of two classes, to be replaced by one's own. */
const SAMPLE = [
  ['text', 'label'],
  ...[
    'I was charged twice for my plan',
    'the invoice shows the wrong amount',
    'please refund the last payment',
  ],
  ...['my card was declined', 'why is the bill higher this month', 'I need a receipt with our address'],
  ...['the editor crashes when I open it', 'the page stays blank after the update', 'saving shows an error'],
  ...[
    'the app freezes for a minute',
    'the search finds nothing at all',
    'a click on the button does nothing',
  ],
].map((row, place) => (row instanceof Array ? row.join(',') : `${row},${place < 7 ? 'billing' : 'bug'}`));

/**
 * Makes what a first run needs in a folder: a config, a sample of data, npm scripts. Files that are there stay as they are, but for
 * scripts that package.json lacks. Returns the paths written. Throws where there is a config already.
 */
export async function initFolder(folder: string, version: string): Promise<string[]> {
  if (existsSync(join(folder, CONFIG)))
    throw new HypetuneError(`init: there is a ${join(folder, CONFIG)} already; give another folder.`);
  if (existsSync(folder) && !statSync(folder).isDirectory())
    throw new HypetuneError(`init: ${folder} is a file; name a folder.`);
  for (const [mark, what] of Object.entries(OURS))
    if (existsSync(join(folder, mark)))
      throw new HypetuneError(`init: ${folder} holds ${what}; give another folder.`);
  // Before anything is written: a package.json that cannot be read ends it.
  const packageJson = `${JSON.stringify(await manifest(folder, version), null, 2)}\n`;
  mkdirSync(folder, { recursive: true });
  const written: string[] = [];
  const write = (name: string, content: string): void => {
    writeFileSync(join(folder, name), content);
    written.push(relative('.', join(folder, name)));
  };
  write(CONFIG, SETTINGS);
  if (!existsSync(join(folder, 'data.csv'))) write('data.csv', `${SAMPLE.join('\n')}\n`);
  write('package.json', packageJson);
  return written;
}

async function manifest(folder: string, version: string): Promise<object> {
  const file = join(folder, 'package.json');
  const name = basename(resolve(folder))
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, '-');
  const there: { scripts?: object; dependencies?: object } = existsSync(file)
    ? ((await readJson(file)) as object)
    : ({ name, private: true, type: 'module' } as object);
  return {
    ...there,
    scripts: {
      train: `hypetune train --config ${CONFIG} --out run --force`,
      predict: 'hypetune predict run',
      ...there.scripts,
    },
    dependencies: { hypetune: version, ...there.dependencies },
  };
}
