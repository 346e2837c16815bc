import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyFlags } from '../test/tiny-model.js';
import { keepModel } from './run-folder.js';

const home = scratch();
const { write, folder } = home;
const table = write('train.tsv', sentiment(48));
let data: string[] = [];
beforeAll(async () => {
  data = [...(await tinyFlags(home, table)), '--learning-rate', '0.01'];
});

interface Report {
  runs: { recipe: string; seed: number; metrics: { accuracy: number } }[];
  comparison: { recipe: string; values: number[] }[];
  recipes: unknown[];
  complete: boolean;
}

test('train saves a model folder that predict and evaluate read', async () => {
  const out = join(folder, 'run');
  const trained = await call(
    'train',
    ...data,
    '--epochs',
    '20',
    '--recipe',
    'hype',
    '--out',
    out,
    '--explain',
  );
  expect(trained.error).toMatch(/^hype: hype hiddenDropout=0$/m);
  expect(trained.error).toMatch(/step 60\/60 · loss/);
  expect(trained.out).toMatch(/^accuracy 1\.0000, loss 0\.\d+ on 48 rows after 60 steps in [\d.]+ s$/m);
  expect(trained.code).toBe(0);
  for (const file of ['config.json', 'model.safetensors', 'vocab.txt', 'hypetune.json'])
    expect(existsSync(join(out, file))).toBe(true);
  expect(JSON.parse(readFileSync(join(out, 'hypetune.json'), 'utf8'))).toMatchObject({
    ...{ recipe: 'hype: hype hiddenDropout=0', finished: true, metrics: { accuracy: 1 } },
    task: { labels: ['no', 'yes'] },
  });

  const predicted = await call('predict', out, 'the film was great', 'a night was awful', '--engine', 'cpu');
  expect(predicted.out.split('\n').map((line) => line.split('\t')[0])).toEqual(['label', 'yes', 'no', '']);
  const automatic = await call(
    'predict',
    out,
    'the film was great',
    'a night was awful',
    ...['--engine', 'cpu', '--precision', 'auto'],
  );
  expect(automatic.out).toBe(predicted.out);
  const rounded = await call(
    'predict',
    out,
    'the film was great',
    '--engine',
    'cpu',
    '--precision',
    'bfloat16',
  );
  expect(rounded.error).toContain("precision is 'bfloat16', but the engine 'cpu' has only float32");
  const json = await call('predict', out, 'the film was great', '--format', 'json', '--engine', 'cpu');
  const [first] = JSON.parse(json.out) as { label: string; probabilities: Record<string, number> }[];
  expect(first!.label).toBe('yes');
  expect(first!.probabilities.yes! + first!.probabilities.no!).toBeCloseTo(1, 6);
  const file = write('lines.txt', 'the food was poor\n\na film was fine\n');
  const saved = join(folder, 'out.tsv');
  await call('predict', out, '--input', file, '--out', saved, '--engine', 'cpu');
  expect(readFileSync(saved, 'utf8').trim().split('\n')).toHaveLength(3);

  const evaluated = await call('evaluate', out, '--engine', 'cpu');
  expect(evaluated.out).toMatch(/^accuracy 1\.0000, loss 0\.\d+ on 48 rows\nclass +precision/);
  expect(evaluated.out).toMatch(/^yes +1\.0000 +1\.0000 +1\.0000 +24 +24$/m);
  const half = write('half.tsv', 'text\tlabel\nthe film was great\tyes\nthe film was great\tno\n');
  expect((await call('evaluate', out, '--table', half, '--engine', 'cpu')).out).toMatch(
    /^accuracy 0\.5000, loss \d\.\d+ on 2 rows\n/,
  );
});

test('compare has a row a run and is the same when run again', async () => {
  const file = join(folder, 'out.json');
  const flags = ['--epochs', '1', '--seeds', '2', '--recipes', 'vanilla,hype,hype+r3f', '--json', file];
  const compared = await call('compare', ...data, ...flags);
  expect(compared.code).toBe(0);
  expect(compared.out).toMatch(
    /^recipe +runs +mean accuracy +sd +median +iqm +best +against vanilla +95 % +95 % rows +better +p +p \(Holm\)$/m,
  );
  const report = JSON.parse(readFileSync(file, 'utf8')) as Report;
  expect(report.runs.map(({ recipe, seed }) => [recipe, seed])).toEqual([
    ['vanilla', 1],
    ['vanilla', 2],
    ['hype', 1],
    ['hype', 2],
    ['hype+r3f', 1],
    ['hype+r3f', 2],
  ]);
  expect(report.comparison.map(({ recipe, values }) => [recipe, values.length])).toEqual([
    ['vanilla', 2],
    ['hype', 2],
    ['hype+r3f', 2],
  ]);
  expect(report).toMatchObject({ complete: true, recipes: [{ name: 'vanilla' }, {}, {}] });
  rmSync(file);
  await call('compare', ...data, ...flags);
  const again = JSON.parse(readFileSync(file, 'utf8')) as Report;
  expect(again.runs.map(({ metrics }) => metrics)).toEqual(report.runs.map(({ metrics }) => metrics));
});

test('compare by a config file with recipes written out', async () => {
  const file = write(
    'compare.yaml',
    `train: ./train.tsv
epochs: 1
seeds: 1
recipes:
  - nodrop
  - name: strong noise
    plugins: [{ name: hype, options: { scale: 0.1, noise: uniform } }]
`,
  );
  const { code, out, error } = await call(
    'compare',
    '--config',
    file,
    '--model',
    data[5]!,
    '--engine',
    'cpu',
  );
  expect(error).toMatch(/^strong noise: hype scale=0\.1 noise="uniform"$/m);
  expect([code, out]).toEqual([
    0,
    expect.stringMatching(/^strong noise +1 +0\.\d+ +- +0\.\d+ +0\.\d+ +0\.\d+ +[+-]0\.\d+ +- +- +- +- +-$/m),
  ]);
});

test('a run that was stopped goes on as if it had not been', async () => {
  const [whole, parts] = [join(folder, 'whole'), join(folder, 'parts')];
  const flags = [...data, '--epochs', '2', '--recipe', 'hype', '--seed', '5'];
  await call('train', ...flags, '--out', whole);
  const running = call('train', ...flags, '--out', parts);
  // The first epoch is saved with a checkpoint: that is when to interrupt.
  const watch = (): void => {
    if (existsSync(join(parts, 'checkpoint.safetensors'))) process.emit('SIGINT');
    else setImmediate(watch);
  };
  watch();
  const stopped = await running;
  expect(stopped.code).toBe(130);
  expect(stopped.out).toMatch(/^stopped after 3 steps in /);
  expect(stopped.error).toContain(`go on with --resume ${parts}`);
  expect((await call('train', '--resume', parts, '--learning-rate', '1')).error).toMatch(
    /^error: --resume: a run goes on as it was begun: --learning-rate was 0\.01, now 1; leave it out\./,
  );
  expect((await call('train', '--resume', parts, '--recipe', 'hype+r3f')).error).toMatch(
    /its recipe was 'hype: hype hiddenDropout=0', now 'hype\+r3f: /,
  );
  write('parts/predictions.jsonl', 'of mine');
  const resumed = await call('train', '--resume', parts, '--engine', 'cpu');
  expect(resumed.error).toContain(`saved in ${parts}`);
  // A name that the run needs is the run's.
  expect(readFileSync(join(parts, 'predictions.jsonl'), 'utf8')).not.toBe('of mine');
  expect((await call('predict', parts, 'a film', '--engine', 'cpu')).code).toBe(0);
  expect(resumed.code).toBe(0);
  const [a, b] = [whole, parts].map((run) => readFileSync(join(run, 'model.safetensors')));
  expect(a!.equals(b!)).toBe(true);
  expect((await call('train', '--resume', parts)).error).toContain(
    'came to its end after 6 updates; to go on, give more --epochs or --steps in all',
  );
});

test('a finished run goes on with more epochs, and not with other rows', async () => {
  const [whole, parts] = [join(folder, 'two-epochs'), join(folder, 'one-epoch-more')];
  const rows = write('moving.tsv', sentiment(48));
  // At a constant rate the longer run's schedule is that of the shorter one, too.
  const flags = [...data, '--train', rows, '--decay', 'constant', '--warmup', '0'];
  await call('train', ...flags, '--epochs', '2', '--out', whole, '--no-checkpoint');
  expect(existsSync(join(whole, 'checkpoint.safetensors'))).toBe(false);
  expect((await call('train', '--resume', whole, '--epochs', '3')).error).toMatch(
    /saved without a checkpoint; begin another from its weights by --model/,
  );
  await call('train', ...flags, '--epochs', '1', '--out', parts);
  expect((await call('train', '--resume', parts, '--epochs', '1')).error).toContain(
    '--resume: the run has made 3 updates, and --epochs 1 are 3 in all; give more.',
  );
  expect((await call('train', '--resume', parts, '--steps', '2')).error).toBe(
    'error: --resume: the run has made 3 updates, and --steps is 2 in all; give more.\n',
  );
  write('moving.tsv', sentiment(48).replace('yes', 'no'));
  expect((await call('train', '--resume', parts, '--epochs', '2')).error).toMatch(
    /^error: --resume: the rows to learn from \(.*moving\.tsv\) have changed/m,
  );
  write('moving.tsv', sentiment(48));
  // What somebody laid beside the model stays there, folders too, and may change.
  write('one-epoch-more/notes.txt', 'mine');
  write('one-epoch-more/pictures/a.svg', '<svg/>');
  // The slash at the end is no other folder.
  const resumed = await call('train', '--resume', `${parts}/`, '--epochs', '2', '--log', 'csv');
  expect(readFileSync(write('one-epoch-more/notes.txt', 'changed'), 'utf8')).toBe('changed');
  expect(existsSync(join(parts, 'pictures/a.svg'))).toBe(true);
  expect(existsSync(join(folder, 'one-epoch-more.log'))).toBe(true);
  expect((await call('predict', parts, 'a film')).code).toBe(0);
  expect(resumed.error).toContain('3 updates become 6: from update 4 on, by the schedule of the longer run');
  expect(resumed.code).toBe(0);
  const [a, b] = [whole, parts].map((run) => readFileSync(join(run, 'model.safetensors')));
  expect(a!.equals(b!)).toBe(true);

  const file = join(parts, 'hypetune.json');
  const record = JSON.parse(readFileSync(file, 'utf8')) as object;
  writeFileSync(file, JSON.stringify({ ...record, frobs: 1 }));
  rmSync(join(parts, 'checksums.sha256'));
  expect((await call('predict', parts, 'a film')).error).toMatch(/a run has no entry 'frobs'/);
});

test('methods: one line each, and one with its options', async () => {
  const { out } = await call('methods');
  expect(out).toMatch(/^hype +Adds small noise .*\(Yuan et al., 2023\)\.$/m);
  const card = await call('methods', 'hype');
  expect(card.out).toMatch(/^ +scale +1e-5 +a finite number >= 0 +sigma: /m);
  expect(card.out).toMatch(/^ +child-tuning +note +In the paper/m);
  expect((await call('methods', 'hyp')).error).toMatch(/^error: there is no method 'hyp'/);
});

test('fetch prints where each source lies, and fails by name', async () => {
  expect(await call('fetch', folder, `file:${folder}`)).toEqual({
    ...{ code: 0, error: '' },
    out: `${folder}  ${folder}\nfile:${folder}  ${folder}\n`,
  });
  const missing = await call('fetch', join(folder, 'nowhere'));
  expect(missing.code).toBe(1);
  expect(missing.error).toMatch(/^error: .*nowhere: there is no folder/);
  expect((await call('fetch')).code).toBe(1);
});

test('train tells of every epoch and of the best one, tests on rows apart, keeps checkpoints and the history', async () => {
  const out = join(folder, 'told');
  const flags = ['--epochs', '6', '--keep-best', 'loss', '--patience', '1', '--test', table, '--out', out];
  const steps = ['--evaluate-every', '2', '--save-every', '1', '--keep-last', '2', '--log-every', '2'];
  const { out: printed, error } = await call('train', ...data, ...flags, ...steps, '--learning-rate', '3');
  expect(error).toMatch(/^hype · seed 0: epoch 1, step 2: loss \d+\.\d{4}, accuracy \d\.\d{4}$/m);
  expect(error).toMatch(/^hype · seed 0: epoch 1, step 3: loss /m);
  expect(error).toMatch(/^hype · seed 0: step 2\/18 · loss /m);
  expect(error).not.toMatch(/: step 1\/18 · loss /m);
  expect(error).toMatch(
    /^hype · seed 0: epoch (\d) is best: loss \d+\.\d{4}; stopped by patience after epoch \d$/m,
  );
  expect(printed).toMatch(/^test: accuracy \d\.\d{4}, loss \d+\.\d{4} on 48 rows$/m);
  const record = JSON.parse(readFileSync(join(out, 'hypetune.json'), 'utf8')) as { steps: number };
  expect(record).toMatchObject({ stopped: 'patience', testMetrics: {}, best: {} });
  const history = readFileSync(join(out, 'history.jsonl'), 'utf8').trim().split('\n');
  const kinds = history.map((line) => (JSON.parse(line) as { kind: string }).kind);
  expect(kinds.filter((kind) => kind === 'step')).toHaveLength(record.steps);
  expect(kinds.slice(0, 6)).toEqual(['step', 'step', 'evaluation', 'step', 'evaluation', 'epoch']);
  expect(readdirSync(`${out}.steps`)).toHaveLength(2);
});

test('models kept of an earlier run are refused, and by --force replaced with that run', async () => {
  const out = join(folder, 'again');
  write('again.steps/step-7/model', 'of an earlier run');
  write('again.steps/step-900/model', 'of an earlier run');
  const kept = (): string[] => readdirSync(`${out}.steps`).sort();
  const flags = ['--epochs', '2', '--keep-last', '2', '--out', out];
  const refused = await call('train', ...data, ...flags);
  expect(refused.code).toBe(1);
  expect(refused.error).toContain(`--keep-last: '${out}.steps' is not empty`);
  const broken = await call('train', ...data, ...flags, '--force', '--test', join(folder, 'nowhere.tsv'));
  expect(broken.code).toBe(1);
  expect(kept()).toEqual(['step-7', 'step-900']);
  expect((await call('train', ...data, ...flags, '--force')).code).toBe(0);
  expect(kept()).toEqual(['step-3']);
  expect((await call('train', '--resume', out, '--epochs', '4')).code).toBe(0);
  expect(kept()).toEqual(['step-3', 'step-9']);
});

test('flags win over what the recipe of a config sets, and the run can be made longer', async () => {
  const config = write(
    'own-epochs.yaml',
    'recipe: { name: mine, plugins: [], settings: { epochs: 1, warmup: 0 } }\n',
  );
  const out = join(folder, 'own-epochs');
  const trained = await call('train', ...data, '--config', config, '--epochs', '2', '--out', out);
  expect(trained.out).toContain('after 6 steps');
  expect(trained.error).toContain('mine: plain fine-tuning, warmup 0\n');
  expect((await call('train', '--resume', out, '--epochs', '3')).out).toContain('after 9 steps');
  const again = await call('train', ...data, '--config', config, '--steps', '4');
  expect(again.out).toContain('after 4 steps');
});

test('a folder that holds what is read, or where one is, is not replaced', async () => {
  const home = join(folder, 'project');
  const [table, inner] = [write('project/table.tsv', sentiment(12)), join(home, 'tiny')];
  cpSync(data[5]!, inner, { recursive: true });
  const given = ['--train', table, '--model', inner, '--engine', 'cpu', '--force'];
  for (const flag of ['--out', '--export'])
    expect((await call('train', ...given, flag, home)).error).toBe(
      `error: ${flag}: '${home}' holds '${table}', which the run reads, and a folder is replaced as a whole; name another.\n`,
    );
  expect((await call('train', ...data, '--model', inner, '--out', home, '--force')).error).toContain(
    `holds '${inner}', which the run reads`,
  );
  expect(
    (await call('train', ...data, '--model', `file:${inner}`, '--out', home, '--force')).error,
  ).toContain('which the run reads');
  expect((await call('train', '--resume', '.')).error).toContain('there is no hypetune.json');
  for (const here of ['.', '..'])
    expect((await call('train', ...data, '--out', here, '--force')).error).toContain(
      `--out: '${here}' holds the folder that you are in`,
    );
  expect(existsSync(table)).toBe(true);
  // A model may be tuned in its place.
  const tuned = await call('train', ...data, '--model', inner, '--epochs', '1', '--out', inner, '--force');
  expect(tuned.code).toBe(0);
});

test('the model just kept stays, whatever later steps lie beside it', async () => {
  const kept = join(folder, 'kept');
  for (const step of [600, 900]) write(`kept/step-${step}/model`, '');
  await keepModel(kept, 100, 2, (fresh) => {
    mkdirSync(fresh);
    return Promise.resolve();
  });
  expect(readdirSync(kept).sort()).toEqual(['step-100', 'step-900']);
});
