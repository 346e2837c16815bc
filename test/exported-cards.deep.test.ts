/** The programs on the cards of exported folders, one of each kind, run as they stand in transformers.js and in Python. */
import { execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../packages/cli/test/call.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { sentiment, tinyModel } from '../packages/cli/test/tiny-model.js';
import { installedPackage } from './support/installed-package.js';

const home = scratch();
const rows = sentiment(48)
  .trim()
  .split('\n')
  .slice(1)
  .map((line) => line.split('\t') as [text: string, label: string]);
const lines = (head: string, of: (text: string, label: string) => string): string =>
  `${[head, ...rows.map(([text, label]) => of(text, label))].join('\n')}\n`;

/** A table of each kind, and the flags that say what it is. */
const TABLES: Readonly<Record<string, readonly [table: string, content: string, ...flags: string[]]>> = {
  class: ['class.tsv', sentiment(48)],
  pair: [
    ...['pair.csv', lines('text,other,label', (text, label) => `${text},the day was good,${label}`)],
    ...['--pair-column', 'other'],
  ] as [string, string, ...string[]],
  several: [
    ...['several.csv', lines('text,label', (text, label) => `${text},${label}|seen`)],
    ...['--problem', 'multi-label'],
  ] as [string, string, ...string[]],
  value: [
    ...['value.csv', lines('text,label', (text, label) => `${text},${label === 'yes' ? 1 : -1}`)],
    ...['--problem', 'regression'],
  ] as [string, string, ...string[]],
  tokens: [
    'tokens.jsonl',
    rows
      .map(([text]) => text.split(' '))
      .map((tokens) =>
        JSON.stringify({ tokens, labels: tokens.map((word) => (word === 'was' ? 'B-V' : 'O')) }),
      )
      .join('\n'),
    ...['--problem', 'token-classification'],
  ],
};
const kinds = Object.keys(TABLES);

beforeAll(async () => {
  const model = await tinyModel(home);
  for (const [kind, [table, content, ...flags]] of Object.entries(TABLES)) {
    const path = home.write(table, content);
    const { code, error } = await call(
      ...['train', '--train', path, '--validation', path, ...flags, '--model', model, '--engine', 'cpu'],
      ...['--learning-rate', '0.01', '--epochs', '4', '--export', join(home.folder, kind)],
    );
    expect(code, error).toBe(0);
  }
}, 300_000);

const program = (kind: string, language: 'js' | 'python'): string =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\``, 'ms')
    .exec(readFileSync(join(home.folder, kind, 'README.md'), 'utf8'))![1]!
    .replace('a text', 'the film was great');

/** What each program printed, all of them run by one process. */
function printed(language: 'js' | 'python', command: string, runner: string): Record<string, string> {
  const files = kinds.map((kind) => {
    const file = `${kind}.${language === 'js' ? 'mjs' : 'py'}`;
    return home.write(file, program(kind, language));
  });
  const out = execFileSync(
    command,
    [home.write(`runner.${language === 'js' ? 'mjs' : 'py'}`, runner), ...files],
    {
      cwd: home.folder,
      encoding: 'utf8',
      env: { ...process.env, HF_HUB_OFFLINE: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  const parts = out.split('=====\n').map((text) => text.trim());
  return Object.fromEntries(kinds.map((kind, i) => [kind, parts[i]!]));
}

let fromNode: Record<string, string> = {};
beforeAll(() => {
  const library = installedPackage('@huggingface/transformers', '4.3.2');
  symlinkSync(join(library, '../..'), join(home.folder, 'node_modules'));
  const runner = `import { env } from '@huggingface/transformers';
    Object.assign(env, { allowRemoteModels: false, localModelPath: './' });
    for (const file of process.argv.slice(2)) {
      await import(file);
      console.log('=====');
    }`;
  fromNode = printed('js', process.execPath, runner);
}, 300_000);

test('in transformers.js each answers in its kind', () => {
  expect(fromNode.class).toMatch(/^\[ \{ label: '(yes|no)', score: 0\.\d+ \} \]$/);
  expect(fromNode.pair).toMatch(/^\[ -?[\d.]+, -?[\d.]+ \] \{ '0': 'no', '1': 'yes' \}$/);
  expect(fromNode.several).toMatch(/(label: '(yes|no|seen)', score: 0\.\d+[^]*){3}/);
  expect(fromNode.value).toMatch(/^\[ -?[\d.]+ \]$/);
  expect(fromNode.tokens).toMatch(/entity: 'B-V',[^]*word: 'was'/);
});

const python = process.env.HYPETUNE_PYTHON;
test.skipIf(python === undefined)('and in Python, saying the same', { timeout: 300_000 }, () => {
  const runner =
    "import runpy, sys\nfor file in sys.argv[1:]:\n    runpy.run_path(file)\n    print('=====')\n";
  const said = printed('python', python!, runner);
  const number = (text: string, pattern: RegExp): number => Number(pattern.exec(text)![1]);
  const label = (text: string): string => /['"]?label['"]?: '(\w+)'/.exec(text)![1]!;
  expect(label(said.class!)).toBe(label(fromNode.class!));
  const [no, yes] = /\[ (.*?), (.*?) \]/.exec(fromNode.pair!)!.slice(1).map(Number);
  expect(label(said.pair!)).toBe(yes! > no! ? 'yes' : 'no');
  expect(label(said.several!)).toBe(label(fromNode.several!));
  expect(said.several!.match(/label/g)).toHaveLength(3);
  const value = number(said.value!, /'score': (-?[\d.]+)/);
  expect(Math.abs(value - number(fromNode.value!, /\[ (.*) \]/))).toBeLessThan(0.1);
  expect(said.tokens).toMatch(/'entity': 'B-V'.*'word': 'was'/);
});
