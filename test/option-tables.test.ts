import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { methodsPage } from '../scripts/methods-page.js';
import { optionPage, pages } from '../scripts/option-tables.js';

test.each([...pages].map(([method, page]) => [method.name, method, page] as const))(
  'the option table of %s is what its declaration says (else: npm run docs)',
  async (_, method, page) => {
    const text = readFileSync(page, 'utf8');
    for (const option of Object.keys(method.options)) expect(text).toContain(`| \`${option}\``);
    expect(await optionPage(text, method)).toBe(text);
  },
);

test('the list of methods is what their declarations say (else: npm run docs)', async () => {
  const text = readFileSync(new URL('../docs/methods.md', import.meta.url), 'utf8');
  expect(await methodsPage(text)).toBe(text);
});
