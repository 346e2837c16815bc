import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { readConfig } from './config-file.js';
import { namedRecipe, recipeOf } from './recipes.js';

const page = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
const blocks = (language: string): string[] =>
  [...page.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm'))].map(([, code]) => code!);
const { write } = scratch();

test('the config on the page is one', async () => {
  const [yaml] = blocks('yaml');
  const config = await readConfig(write('page.yaml', yaml!));
  const recipes = config.recipes!.map((entry) =>
    typeof entry === 'string' ? namedRecipe(entry) : recipeOf(entry),
  );
  expect(recipes.map((recipe) => recipe.plugins().map(({ name }) => name))).toEqual([
    [],
    [],
    ['hype', 'r3f'],
  ]);
});

test('every command and flag on the page exists', async () => {
  const front = readFileSync(new URL('../../../README.md', import.meta.url), 'utf8');
  const docs = new URL('../../../docs/', import.meta.url);
  const pages = readdirSync(docs).filter((name) => name.endsWith('.md'));
  const others = pages.map((name) => readFileSync(new URL(name, docs), 'utf8'));
  const lines = [page, front, ...others].flatMap((text) => text.match(/^npx hypetune .*$/gm) ?? []);
  expect(lines.length).toBeGreaterThan(8);
  for (const line of lines) {
    const [, command, rest] = /^npx hypetune (\S+)(.*)$/.exec(line)!;
    const { out } = await call(command!, '--help');
    for (const [flag] of rest!.matchAll(/--[\w-]+/g)) expect(out, line).toContain(`${flag} `);
  }
  const rows = [...page.matchAll(/^\| `([\w-]+)`/gm)].map(([, name]) => name!);
  for (const name of rows) expect((await call(name, '--help')).code).toBe(0);
});

test('every flag that the pages on trouble and on other libraries name exists', async () => {
  const commands = [
    'train',
    'compare',
    'worker',
    'verify',
    'watch',
    'predict',
    'evaluate',
    'doctor',
    'engine',
  ];
  const help = (await Promise.all(commands.map((command) => call(command, '--help')))).map(({ out }) => out);
  const docs = new URL('../../../docs/', import.meta.url);
  for (const page of ['troubleshooting.md', 'coming-from.md'])
    for (const line of readFileSync(new URL(page, docs), 'utf8').match(/^\|.*\|$/gm)!) {
      // What another library calls it stands in the first cell.
      const cell = line.split('|')[2]!;
      for (const [flag] of cell.matchAll(/--[a-z][\w-]+/g))
        expect(help.join(), `${page}: ${flag}`).toContain(`${flag} `);
    }
});
