import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { measuringCommands, unfounded } from '../scripts/provenance.js';

const root = new URL('../', import.meta.url);
const inFolder = (folder: string): string[] =>
  readdirSync(new URL(folder, root)).map((name) => `${folder}${name}/README.md`);
const pages = [
  'README.md',
  ...readdirSync(new URL('docs/', root)).map((name) => `docs/${name}`),
  ...inFolder('packages/'),
  ...inFolder('examples/'),
].filter((page) => page.endsWith('.md') && existsSync(new URL(page, root)));
const read = (page: string): string => readFileSync(new URL(page, root), 'utf8');
const known = measuringCommands(root);

test('every table of figures names what made it, in its section or in one around it', () => {
  expect(
    pages.flatMap((page) =>
      unfounded(read(page), known).map(({ line, heading }) => `${page}:${line} ${heading}`),
    ),
  ).toEqual([]);
});

test('a table whose command is missing is found; settings and generated tables are none', () => {
  const table = '| a | b |\n| --- | --- |\n| x | 0.1 |\n| y | 0.2 |\n| z | 3 ms |\n';
  expect(unfounded(`# Page\n\n## Speed\n\n${table}`, known)).toEqual([{ line: 5, heading: 'Speed' }]);
  expect(unfounded(`# Page\n\nBy \`npm run bench -- step\`.\n\n## Speed\n\n${table}`, known)).toEqual([]);
  expect(unfounded(`# Page\n\n## Other\n\n\`npm run bench\`\n\n## Speed\n\n${table}`, known)).toHaveLength(1);
  expect(unfounded(`# Page\n\n<!-- generated: x -->\n\n${table}\n<!-- end -->\n`, known)).toEqual([]);
  expect(unfounded(`# Page\n\n${table.replaceAll(/\d.*\|/g, '`0.1` |')}`, known)).toEqual([]);
});

test('every benchmark and program that a page names for its figures is there', () => {
  const benchmarks = read('scripts/bench.mjs');
  for (const page of pages) {
    for (const [, name] of read(page).matchAll(/npm run bench -- (?!--)(\w+)/g))
      if (name !== 'NAME') expect(benchmarks, `${page}: ${name}`).toContain(`  ${name}: '`);
    for (const [, file] of read(page).matchAll(
      /\b(?:python|node) (?:-\S+ |--\S+ )*((?:test|scripts|packages|examples)\/\S+\.(?:py|ts|mjs))/g,
    ))
      expect(existsSync(new URL(file!, root)), `${page}: ${file}`).toBe(true);
  }
});
