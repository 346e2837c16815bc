import { cpSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test, vi } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;
const train = write('train.tsv', sentiment(12));
const short = write('short.tsv', 'text\tlabel\nfine\tyes\nbad\n');
const empty = write('empty.tsv', '');
const other = write('other.tsv', 'text\tlabel\nfine\tmaybe\n');
write(
  'glue/RTE/train.tsv',
  'index\tsentence1\tsentence2\tlabel\n0\ta\tb\tnot_entailment\n1\ta\tb\tcontradiction\n',
);
write('glue/RTE/dev.tsv', 'index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n');
write('bare/config.json', '{"model_type":"bert"}');
const config = write('config.yaml', `train: ${train}\nepoch: 3\n`);
const both = write('both.yaml', `train: ${train}\nrecipes: [vanilla]\n`);
const written = write('written.yaml', 'recipes: [vanilla, { name: noisy, plugins: [hype] }]\n');
let model = '';
beforeAll(async () => {
  model = await tinyModel(home);
});

const mistakes: readonly (readonly [string, () => string[], string | RegExp])[] = [
  ['a wrong column count', () => ['--train', short], `${short}:3: 1 columns, expected 2 (text, label).`],
  ['an empty file', () => ['--train', empty], `${empty}: the file has no rows.`],
  [
    'a label out of range',
    () => ['--train', train, '--validation', other],
    /other\.tsv:2: the label must be one of 'no', 'yes', got 'maybe'\./,
  ],
  [
    'the same in a GLUE task',
    () => ['--task', 'rte', '--data', `${folder}/glue`],
    /train\.tsv:3: the label must be one of 'entailment', 'not_entailment'/,
  ],
  [
    'an unknown plugin option',
    () => ['--train', train, '--option', 'hype.scal=1'],
    /hype: unknown option 'scal'/,
  ],
  [
    'a model folder without weights',
    () => ['--train', train, '--model', `${folder}/bare`],
    /bare: there is no model\.safetensors/,
  ],
  [
    'a length beyond the model’s positions',
    () => ['--train', train, '--max-length', '64'],
    /--max-length: the model in .*tiny takes 24 tokens at most, got 64\./,
  ],
  ['an unknown task', () => ['--task', 'rtf'], "--task: there is no task 'rtf', did you mean 'rte'?"],
  ['no task', () => [], /--task: name one of spam, cola/],
  ['no data', () => ['--task', 'rte'], "--data: task 'rte' needs the folder that holds it, as --data glue."],
  [
    'an unknown method',
    () => ['--train', train, '--recipe', 'hyp'],
    /there is no method 'hyp', did you mean 'hype'\?/,
  ],
  [
    'an unknown setting',
    () => ['--config', config],
    `${config}: unknown setting 'epoch', did you mean 'epochs'?`,
  ],
  [
    'a setting of the other command',
    () => ['--config', both],
    /both\.yaml: 'recipes' and 'seeds' are for hypetune compare/,
  ],
  [
    'an unknown engine',
    () => ['--train', train, '--engine', 'gpu'],
    /option '--engine <name>' argument 'gpu' is invalid\. Allowed choices are pjrt, native, /,
  ],
  [
    'a value out of range',
    () => ['--train', train, '--batch-size', '0'],
    '--batch-size must be an integer >= 1, got 0.',
  ],
  [
    'no number',
    () => ['--train', train, '--epochs', 'many'],
    /option '--epochs <count>' argument 'many' is invalid\. it must be a number\./,
  ],
  ['an unknown flag', () => ['--trian', train], /unknown option '--trian'/],
  [
    "another trainer's name of a flag",
    () => ['--train', train, '--max_grad_norm', '1'],
    "unknown option '--max_grad_norm' (here it is --clip-norm)",
  ],
  [
    "another trainer's name of a setting",
    () => ['--config', write('lr.yaml', `train: ${train}\nlr: 3\n`)],
    /lr\.yaml: unknown setting 'lr', did you mean 'learningRate'\?/,
  ],
  [
    'patience without anything to be best in',
    () => ['--train', train, '--patience', '1'],
    '--patience: it counts epochs without a better --keep-best; name a metric there, as --keep-best loss.',
  ],
  [
    'a metric of another task',
    () => ['--train', train, '--metrics', 'pearson'],
    /metrics: 'pearson' is not defined for classification/,
  ],
];

test.each(mistakes)('%s: one line, exit code 1, nothing written', async (_, flags, message) => {
  const out = join(folder, 'out');
  const defaults = flags().includes('--model') ? [] : ['--model', model];
  const engine = flags().includes('--engine') ? [] : ['--engine', 'cpu'];
  const { code, error } = await call('train', ...defaults, ...engine, '--out', out, ...flags());
  const lines = error.trim().split('\n');
  const last = lines.at(-1)!;
  expect(last).toMatch(/^error: /);
  if (typeof message === 'string') expect(last).toBe(`error: ${message}`);
  else expect(last).toMatch(message);
  expect(lines.slice(0, -1).filter((line) => !/^(engine|.*rows to learn from|hype:)/.test(line))).toEqual([]);
  expect(code).toBe(1);
  expect(readdirSync(folder)).not.toContain('out');
  expect(readdirSync(folder).filter((name) => name.startsWith('.'))).toEqual([]);
});

test('an output folder that holds something is refused before any work', async () => {
  const { code, error } = await call('train', '--train', train, '--model', model, '--out', folder);
  expect([code, error]).toEqual([
    1,
    `error: --out: '${folder}' is not empty; name another folder or add --force to replace it.\n`,
  ]);
});

test.each<[string, string[], string]>([
  ['train', ['--metrics', 'acuracy'], "metrics: there is no metric 'acuracy', did you mean 'accuracy'?"],
  ['train', ['--keep-best', 'los'], "metrics: there is no metric 'los'"],
  ['train', ['--validation', `${folder}/none.tsv`], `${folder}/none.tsv: there is no such file.`],
  ['train', ['--model', `${folder}/none`], `${folder}/none: there is no folder`],
  ['train', ['--model', 'pip:'], '"pip:" is not a source'],
  ['train', ['--max-length', '64'], '--max-length: the model in '],
  [
    'train',
    ['--recipe', 'distillation', '--option', `distillation.teacher=${folder}/none`],
    'none: there is no folder',
  ],
  ['compare', ['--metrics', 'acuracy'], "metrics: there is no metric 'acuracy', did you mean 'accuracy'?"],
  ['train', ['--data', folder], '--data: is for a task by its name, and --train'],
  ['compare', ['--data', folder], '--data: is for a task by its name, and --train'],
  ['compare', ['--grid', 'patience=1,2'], '--patience: it counts epochs without a better --keep-best'],
  ['compare', ['--json', folder], `--json: '${folder}' is a folder; name a file.`],
  ['compare', ['--model', `${folder}/none`], `${folder}/none: there is no folder`],
])('%s %j is refused before a row is read', async (command, flags, message) => {
  // A table that is a mistake itself as soon as it is read.
  const defaults = flags.includes('--model') ? [] : ['--model', model];
  const { code, error } = await call(command, '--train', short, ...defaults, ...flags);
  expect([code, error.trim().split('\n').length]).toEqual([1, 1]);
  expect(error).toContain(message);
});

test('an engine that is not there is refused before a row is read, whoever names it', async () => {
  vi.stubEnv('HYPETUNE_PJRT_PLUGIN', `${folder}/none.so`);
  const asked = await call('train', '--train', short, '--model', model, '--engine', 'pjrt');
  expect(asked.error).toMatch(/^error: The engine "pjrt", wanted by the option, does not work here/);
  vi.stubEnv('HYPETUNE_ENGINE', 'wams');
  for (const command of ['train', 'compare']) {
    const { code, error } = await call(command, '--train', short, '--model', model);
    expect([code, error]).toEqual([
      1,
      expect.stringMatching(/^error: There is no engine "wams" \(HYPETUNE_ENGINE\)/),
    ]);
  }
  vi.unstubAllEnvs();
});

test.each<[string[], string]>([
  [['probe', '--task', 'rte'], "--data: task 'rte' needs the folder"],
  [['probe', 'none', '--train', train], 'none: there is no folder'],
  [['similarity', '--train', 'none.csv'], 'none.csv: there is no such file.'],
  [['evaluate', '--table', 'none.csv'], 'none.csv: there is no such file.'],
  [['evaluate', '--task', 'rtf'], "--task: there is no task 'rtf', did you mean 'rte'?"],
  [['evaluate', '--task', 'rte'], "--data: task 'rte' needs the folder"],
  [['evaluate', '--out', folder], `--out: '${folder}' is a folder; name a file.`],
  [['predict', '--input', 'none.csv'], 'none.csv: there is no such file.'],
  [['evaluate', '--split', 'test'], '--split: says which rows of --task are measured; name the task.'],
  [['evaluate', '--task', 'spam'], '--task: the spam task has no table; it measures on'],
  [['predict', '--input', train, 'fine'], '--input: is for texts of a file, and texts are given beside it'],
  [['predict', '--pair-column', 'b', 'fine'], '--pair-column: is for texts of a file'],
  [['predict', '--out', `${train}/x`, 'fine'], 'a part of the path is a file; name another file.'],
])('%j is refused before an engine is started', async ([command, ...flags], message) => {
  const { code, error } = await call(command!, model, ...flags);
  expect([code, error]).toEqual([1, expect.stringContaining(message)]);
  expect(error).toMatch(/^error: /);
});

test('a report that would take the place of a folder is refused', async () => {
  const { error } = await call('report', `${folder}/none`, '--out', folder);
  expect(error).toBe(`error: --out: '${folder}' is a folder; name a file.\n`);
});

test('a model without a tokenizer is refused before a row is read', async () => {
  const bare = join(folder, 'no-tokenizer');
  cpSync(model, bare, { recursive: true });
  for (const name of ['vocab.txt', 'tokenizer.json']) rmSync(join(bare, name), { force: true });
  writeFileSync(join(bare, 'spiece.model'), 'x');
  const { error } = await call('train', '--train', short, '--model', bare, '--engine', 'cpu');
  expect(error).toMatch(/^engine: .*\nerror: .*there is spiece\.model but no tokenizer\.json; python3 -c /);
});

test('flags of tables are refused where no task is one; a folder of data is for those by name beside one', async () => {
  const named = ['--data', `${folder}/glue`, '--model', model];
  const columns = await call('compare', '--task', 'rte,cola', ...named, '--validation', train);
  expect(columns.error).toContain("--validation: is for a table of your own, given by --train; task 'rte'");
  const tasks = write('mixed.yaml', 'tasks: [rte, { name: own, train: none.tsv }]\n');
  const mixed = await call('compare', '--config', tasks, ...named);
  expect(mixed.error).toContain('none.tsv: there is no such file.');
});

test('a task that is not there is refused before the first is read', async () => {
  const { error } = await call('compare', '--task', 'rte,rtf', '--data', `${folder}/glue`, '--model', model);
  expect(error).toBe("error: --task: there is no task 'rtf', did you mean 'rte'?\n");
});

test.each([
  [['--seeds', '0'], "--seeds: must be a number of seeds or different seeds as 3,5,8, got '0'."],
  [['--seeds', '1,1'], "--seeds: must be a number of seeds or different seeds as 3,5,8, got '1,1'."],
  [
    ['--config', written, '--option', 'hype.scale=1'],
    "--option hype...: the config writes recipe 'noisy' out; put the options there.",
  ],
  [['--recipes', 'vanilla,vanilla'], "--recipes: 'vanilla' stands there twice; give each a name of its own."],
])('compare %j', async (flags, message) => {
  const { code, error } = await call('compare', '--train', train, '--model', model, ...flags);
  expect([code, error]).toEqual([1, `error: ${message}\n`]);
});

test('a folder that is no saved run', async () => {
  const { code, error } = await call('predict', `${folder}/glue`, 'fine');
  expect([code, error]).toEqual([
    1,
    `error: ${folder}/glue: there is no hypetune.json nor a config.json, so this is neither a run nor a model.\n`,
  ]);
});

test('help and a missing command', async () => {
  const help = await call('--help');
  expect(help.code).toBe(0);
  for (const name of ['train', 'compare', 'predict', 'evaluate', 'methods', 'doctor', 'engine', 'new-plugin'])
    expect(help.out).toMatch(new RegExp(`^  ${name} `, 'm'));
  expect((await call('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  expect((await call('trian')).error).toMatch(/unknown command 'trian'/);
});
