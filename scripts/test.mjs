/**
 * `npm test`: builds, checks types, lints, runs every test and closes with a line that counts them.
 * `--deep` runs the slow tests (*.deep.test.ts) as well; other arguments go to vitest.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const given = process.argv.slice(2);
const deep = given.includes('--deep');
const tool = (path) => join(root, 'node_modules', path);

/** Runs a program to its end and returns its exit code. */
function run(title, script, args, env = {}) {
  process.stdout.write(`\n> ${title}\n`);
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], {
      cwd: root,
      env: { ...process.env, ...env },
      stdio: 'inherit',
    });
    child.on('exit', (code, signal) => resolve(signal ? 1 : code));
  });
}

/** Counts of vitest's JSON report; undefined if it wrote none. */
function countTests(report) {
  try {
    const { numPassedTests, numFailedTests, numPendingTests, numTodoTests, testResults } = JSON.parse(
      readFileSync(report, 'utf8'),
    );
    // A file that does not load has failed without a test of its own.
    const broken = testResults.filter(
      (file) => file.status === 'failed' && file.assertionResults.length === 0,
    );
    return {
      passed: numPassedTests,
      failed: numFailedTests + broken.length,
      skipped: numPendingTests + numTodoTests,
    };
  } catch {
    return undefined;
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hypetune-test-'));
const report = join(folder, 'report.json');
const failures = [];
const check = async (title, script, args) => {
  if ((await run(title, script, args)) !== 0) failures.push(title);
};

try {
  await check('build', tool('typescript/bin/tsc'), ['-b']);
  // Each takes one core.
  const linted = check('lint', tool('eslint/bin/eslint.js'), ['.']);
  await check('type check', tool('typescript/bin/tsc'), ['-p', 'tsconfig.check.json']);
  await check('type check of the page', tool('typescript/bin/tsc'), ['-p', 'examples/browser']);
  await check('format', tool('prettier/bin/prettier.cjs'), ['--check', '--log-level', 'warn', '.']);
  await linted;
  const code = await run(
    'tests',
    tool('vitest/vitest.mjs'),
    [
      ...['run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`],
      ...given.filter((argument) => argument !== '--deep'),
    ],
    deep ? { HYPETUNE_DEEP: '1' } : {},
  );
  const counts = countTests(report) ?? { passed: 0, failed: 0, skipped: 0 };
  if (code !== 0 && counts.failed === 0) failures.push('vitest');
  if (counts.passed + counts.failed === 0) failures.push('no test ran');
  const failed = counts.failed + failures.length;
  if (failures.length > 0) process.stdout.write(`\nfailed: ${failures.join(', ')}\n`);
  const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : '';
  process.stdout.write(`\n${counts.passed} passed, ${failed} failed${skipped}\n`);
  process.exitCode = failed > 0 ? 1 : 0;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
