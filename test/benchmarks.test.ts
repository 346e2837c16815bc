import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test, vi } from 'vitest';
import { countOf, nameOf, namesOf } from '../packages/engine/bench/flags.js';

const root = fileURLToPath(new URL('..', import.meta.url));

afterEach(() => {
  vi.restoreAllMocks();
});

/** What is printed by a function that ends the process with 1. */
function refusal(ask: () => unknown): string {
  const printed = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  vi.spyOn(process, 'exit').mockImplementation((code) => {
    throw new Error(`exit ${code}`);
  });
  expect(ask).toThrow('exit 1');
  return printed.mock.calls.map(([text]) => String(text)).join('');
}

test('flags of benchmarks give what they name', () => {
  expect(nameOf('--engine', ' wasm', ['cpu', 'wasm'])).toBe('wasm');
  expect(namesOf('--engines', 'wasm, cpu', ['cpu', 'wasm'])).toEqual(['wasm', 'cpu']);
  expect(countOf('--rounds', '12')).toBe(12);
});

test('what a flag names and is not there is refused with what there is', () => {
  expect(refusal(() => namesOf('--engines', 'cpu,nonsense', ['cpu', 'wasm']))).toBe(
    "error: --engines: there is no 'nonsense'; there are cpu, wasm.\n",
  );
});

test.each(['', '0', '-1', '2.5', 'many', 'Infinity'])('%j is no number of things', (text) => {
  expect(refusal(() => countOf('--rounds', text))).toBe(
    `error: --rounds: wanted is a whole number from 1 on, got '${text}'.\n`,
  );
});

const needed = ['--data', 'none'];
/** A benchmark, its flags with one that is wrong last, and a name that there is. */
const wrong: readonly (readonly [string, readonly string[], string])[] = [
  ['step', ['--engines', 'nonsense'], 'compiled'],
  ['step', ['--shapes', 'nonsense'], 'MiniLM-L6'],
  ['step', ['--rounds', 'nonsense'], 'whole number'],
  ['draws', ['nonsense'], 'whole number'],
  ['methods', ['--engine', 'nonsense'], 'native'],
  ['methods', ['--shape', 'nonsense'], 'MiniLM-L6'],
  ['methods', ['--only', 'nonsense'], 'hype'],
  ['methods', ['--steps', 'nonsense'], 'whole number'],
  ['methods', ['--precision', 'nonsense'], 'bfloat16'],
  ['trainer', ['--python', 'none', '--shapes', 'nonsense'], 'MiniLM-L6'],
  ['trainer', ['--python', 'none', '--precisions', 'nonsense'], 'bfloat16'],
  ['trainer', ['--python', 'none', '--rounds', 'nonsense'], 'whole number'],
  ['run', [...needed, '--paddings', 'nonsense'], 'dynamic'],
  ['run', [...needed, '--seeds', 'nonsense'], 'whole number'],
  ['predict', [...needed, '--engines', 'nonsense'], 'onnx-int8'],
  ['predict', [...needed, '--batch', 'nonsense'], 'whole number'],
  ['memory', ['--shapes', 'nonsense'], 'BERT-base'],
  ['memory', ['--settings', 'nonsense'], 'bfloat16+recompute'],
  ['memory', ['--rows', 'nonsense'], 'whole number'],
  ['compiling', ['--settings', 'nonsense'], 'bfloat16'],
  ['compiling', ['--lengths', 'nonsense'], 'whole number'],
  ['parity', ['--engines', 'nonsense'], 'compiled'],
  ['parity', ['--only', 'nonsense'], 'xlm-roberta'],
  ['gradients', ['--families', 'nonsense'], 'xlnet'],
  ['gradients', ['--methods', 'nonsense'], 'r3f'],
  ['gpu', ['--shapes', 'nonsense'], 'BERT-large'],
  ['gpu', ['--minutes', 'nonsense'], 'above 0'],
  ['gpu', ['--length', 'nonsense'], 'whole number'],
  ['gpu', ['--pack', root], 'new folder'],
];

test.runIf(process.env['HYPETUNE_DEEP'])('there is no way around', { timeout: 600_000 }, () => {
  for (const [name, flags, offered] of wrong) {
    const parameters = ['scripts/bench.mjs', name, ...flags];
    const { status, stdout, stderr } = spawnSync(process.execPath, parameters, {
      cwd: root,
      encoding: 'utf8',
    });
    expect({ name, flags, status, stdout }).toEqual({ name, flags, status: 1, stdout: '' });
    expect(stderr).toMatch(/^error: .*\n$/);
    expect(stderr).toContain(flags.at(-1));
    expect(stderr).toContain(offered);
  }
});
