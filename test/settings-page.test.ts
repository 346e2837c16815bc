import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { settings } from '../packages/cli/src/settings.js';
import { settingsPage } from '../scripts/settings-page.js';

test('docs/settings.md is what the declarations say (else: npm run docs)', async () => {
  const page = readFileSync(new URL('../docs/settings.md', import.meta.url), 'utf8');
  for (const name of Object.keys(settings)) expect(page).toContain(`| \`${name}\``);
  expect(page).toMatch(/\| `compile` +\| `--no-compile` +\| true or false +\| true /);
  expect(page).toMatch(/\| `learningRate` +\| a finite number >= 0 +\| `5e-5`|`0\.00005` /);
  expect(await settingsPage(page)).toBe(page);
});
