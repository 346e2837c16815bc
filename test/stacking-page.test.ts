import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { stackingPage } from '../scripts/stacking.js';

test('docs/stacking.md is what the methods say (else: npm run docs)', async () => {
  const page = readFileSync(new URL('../docs/stacking.md', import.meta.url), 'utf8');
  expect(page).toMatch(/\| `afterWeightRead` +\| REPLACE 0 /);
  expect(await stackingPage(page)).toBe(page);
});
