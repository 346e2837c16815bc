import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { tinyModel } from '../test/tiny-model.js';
import { methodCard, methodList } from './commands/methods.js';
import { readConfig } from './config-file.js';
import { METHODS } from './methods.js';

const home = scratch();
const { folder, write } = home;

test('init makes a config that is right, data, and scripts beside those that are there', async () => {
  const app = join(folder, 'my app');
  write('my app/package.json', '{"name":"mine","scripts":{"train":"my own"}}');
  const { code, out } = await call('init', app);
  expect([code, out]).toEqual([0, expect.stringContaining('hypetune.yaml')]);
  const config = await readConfig(join(app, 'hypetune.yaml'));
  expect(config).toMatchObject({ train: join(app, 'data.csv'), recipe: 'hype' });
  expect(readFileSync(join(app, 'data.csv'), 'utf8').trim().split('\n')).toHaveLength(13);
  const { name, scripts } = JSON.parse(readFileSync(join(app, 'package.json'), 'utf8')) as {
    name: string;
    scripts: Record<string, string>;
  };
  expect([name, scripts.train, scripts.predict]).toEqual(['mine', 'my own', 'hypetune predict run']);
  expect(await call('init', app)).toMatchObject({
    code: 1,
    error: expect.stringContaining('already') as string,
  });
});

test('init writes nothing where it cannot end, and nothing into what the command writes itself', async () => {
  const error = async (place: string): Promise<string> => (await call('init', place)).error;
  const odd = write('odd/package.json', '{ "name": "x", // mine\n}');
  expect(await error(join(folder, 'odd'))).toContain(`error: ${odd}: not valid JSON: `);
  expect(readdirSync(join(folder, 'odd'))).toEqual(['package.json']);
  write('odd/package.json', '\uFEFF{ "name": "x" }');
  expect(await error(join(folder, 'odd'))).toBe('');
  expect(await error(write('run/hypetune.json', '{}').replace('/hypetune.json', ''))).toContain(
    'holds a saved run; give another folder.',
  );
  expect(await error(write('runs/store.json', '{}').replace('/store.json', ''))).toContain(
    'holds a store of runs; give another folder.',
  );
  expect(await error(odd)).toContain('is a file; name a folder.');
  expect((await call('new-plugin', 'my-noise', '--folder', odd)).error).toContain(
    'is a file; name a folder.',
  );
});

test('the config that init makes is compared by --recipes, and not without', async () => {
  const app = join(folder, 'compared');
  await call('init', app);
  const config = join(app, 'hypetune.yaml');
  const flags = ['--config', config, '--model', await tinyModel(home), '--engine', 'cpu', '--epochs', '1'];
  const { code, out } = await call(
    'compare',
    ...flags,
    '--recipes',
    'vanilla,nodrop',
    '--seeds',
    '1',
    '--json',
    '-',
  );
  expect(code).toBe(0);
  const { runs, settings } = JSON.parse(out) as { runs: { recipe: string }[]; settings: object };
  expect(runs.map(({ recipe }) => recipe)).toEqual(['vanilla', 'nodrop']);
  expect(settings).not.toHaveProperty('recipe');
  const why = "'recipe' and 'seed' are for hypetune train";
  expect((await call('compare', ...flags, '--seeds', '1')).error).toContain(why);
  const seeded = write('seeded.yaml', 'seed: 0\n');
  expect((await call('compare', '--config', seeded, '--recipes', 'vanilla')).error).toContain(why);
});

test('completion in bash: commands, flags, inner commands, choices', async () => {
  const { out } = await call('completion', 'bash');
  const completed = (...words: string[]): string[] =>
    execFileSync(
      'bash',
      [
        '-c',
        `${out}\nCOMP_WORDS=(hypetune "$@"); COMP_CWORD=$#; _hypetune; echo "\${COMPREPLY[@]}"`,
        'bash',
        ...words,
      ],
      { encoding: 'utf8' },
    )
      .trim()
      .split(' ');
  expect(completed('tr')).toEqual(['train']);
  expect(completed('train', '--learning')).toEqual(['--learning-rate']);
  expect(completed('engine', 'in')).toEqual(['install']);
  expect(completed('engine', 'install', '--c')).toEqual(['--cuda']);
  expect(completed('predict', 'run', '--format', 'js')).toEqual(['json', 'jsonl']);
  expect((await call('completion', 'zsh')).out).toContain('bashcompinit');
  expect((await call('completion', 'fish')).code).toBe(1);
});

test('every command has --json, but for the one that prints a shell script', async () => {
  const names = async (...path: string[]): Promise<string[]> => {
    const [, list] = (await call(...path, '--help')).out.split('Commands:\n');
    return [...(list ?? '').matchAll(/^  ([a-z][\w-]*)/gm)].map(([, name]) => name!);
  };
  const without: string[] = [];
  for (const name of (await names()).filter((name) => name !== 'help'))
    for (const path of (await names(name)).map((inner) => [name, inner]).concat([[name]]))
      if (path.length === 2 || (await names(name)).length === 0) {
        // A flag that is not there is said before anything else is looked at.
        const { error } = await call(...path, '--json', '--no-such-flag');
        if (/unknown option '--json'/.test(error)) without.push(path.join(' '));
      }
  expect(without).toEqual(['completion']);
});

test('--json gives what a program can read', async () => {
  const json = async (...argv: string[]): Promise<unknown> => JSON.parse((await call(...argv, '--json')).out);
  expect(await json('methods', 'hype')).toMatchObject({
    name: 'hype',
    options: { scale: { type: 'number' } },
  });
  expect(await json('methods')).toHaveLength((await call('methods')).out.trim().split('\n').length);
  expect(await json('engine', 'list')).toBeInstanceOf(Array);
  expect(await json('new-plugin', 'my-own', '--folder', join(folder, 'own'))).toHaveProperty('written');
  expect(await json('init', join(folder, 'other'))).toHaveProperty('written');
});

test('two letters that changed places are still the word meant', async () => {
  expect((await call('methods', 'hpye')).error).toContain("'hpye', did you mean 'hype'?");
  expect((await call('methods', 'nothing')).error).toContain("'nothing'; there are 'hype', 'r3f'");
});

test('on a narrow terminal lists are wrapped under their last column, or below the line', () => {
  const hype = METHODS.get('hype')!;
  for (const text of [methodList(METHODS, 60), methodCard(hype, 60).split('\n').slice(3).join('\n')])
    expect(text.split('\n').filter((line) => line.length > 64)).toEqual([]);
  expect(methodList(METHODS).split('\n')).toHaveLength(METHODS.size);
  expect(methodList(METHODS, 60)).toMatch(/^hype {16}Adds small .*\n {20}\S/);
});

test('the version, and no colour', async () => {
  expect((await call('--version')).out.trim()).toMatch(/^\d+\.\d+\.\d+$/);
  expect((await call('methods')).out).not.toContain('\u001b');
});

test('every environment variable that is read is on its page, and no other', () => {
  const root = join(import.meta.dirname, '../../..');
  const sources = readdirSync(join(root, 'packages')).flatMap((name) => {
    const source = join(root, 'packages', name, 'src');
    if (!existsSync(source)) return [];
    const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
    return files
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => join(source, file));
  });
  const named = (text: string): string[] => [...text.matchAll(/\bHYPETUNE_[A-Z_]+\b/g)].map(([name]) => name);
  const read = new Set(sources.flatMap((file) => named(readFileSync(file, 'utf8'))));
  const page = new Set(named(readFileSync(join(root, 'docs/environment.md'), 'utf8')));
  // Of the tests alone.
  for (const name of ['HYPETUNE_DEEP']) for (const set of [read, page]) set.delete(name);
  expect([...page].sort()).toEqual([...read].sort());
});
