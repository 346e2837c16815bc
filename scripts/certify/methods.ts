import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Certificate, Comparison } from './certificate.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const VITEST = join(ROOT, 'node_modules/vitest/vitest.mjs');

/** What `expectClose` of the parity tests notes of a comparison. */
export interface Noted {
  readonly test: string;
  readonly difference: number;
  readonly tolerance: number;
}

/** The parity tests of methods: published code, or formulas written out, on injected draws. */
export const methods: Certificate = {
  name: 'methods',
  summary:
    'Terms, gradients, masks and weights of methods against their published code (stored results) or against formulas written out in the tests, on the same draws: npx vitest run test/parity test/wiring.test.ts.',
  compare: () => {
    const folder = mkdtempSync(join(tmpdir(), 'hypetune-certify-'));
    const notes = join(folder, 'notes.jsonl');
    try {
      const args = [
        VITEST,
        'run',
        'test/parity',
        'test/wiring.test.ts',
        '--exclude',
        'test/parity/families.test.ts',
      ];
      const { status, stdout } = spawnSync(process.execPath, args, {
        ...{ cwd: ROOT, encoding: 'utf8', env: { ...process.env, HYPETUNE_CERTIFY: notes } },
      });
      if (status !== 0) throw new Error(`the parity tests fail:\n${stdout.slice(-2000)}`);
      if (!existsSync(notes)) throw new Error('the parity tests noted nothing');
      return Promise.resolve(rowsOf(readFileSync(notes, 'utf8')));
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
};

/** The largest difference of each test. */
function rowsOf(notes: string): Comparison[] {
  const rows = new Map<string, Comparison>();
  for (const line of notes.trim().split('\n')) {
    const { test, difference, tolerance } = JSON.parse(line) as Noted;
    const before = rows.get(test);
    if (before && difference / tolerance <= before.difference / before.tolerance) continue;
    rows.set(test, { name: test, difference, tolerance });
  }
  return [...rows.values()];
}
