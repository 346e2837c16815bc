import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Tokenizer } from '@hypetune/models';
import * as ort from 'onnxruntime-web';
import { beforeAll, expect, test } from 'vitest';
import { call } from '../test/call.js';
import { scratch } from '../test/scratch.js';
import { sentiment, tinyModel } from '../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;
const cpu = ['--engine', 'cpu'];
const [run, exported] = [join(folder, 'run'), join(folder, 'exported')];
const json = (...path: string[]): Record<string, unknown> =>
  JSON.parse(readFileSync(join(...path), 'utf8')) as Record<string, unknown>;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  const table = write('train.tsv', sentiment(48));
  const trained = await call(
    ...['train', '--train', table, '--validation', table, '--model', await tinyModel(home), ...cpu],
    ...['--learning-rate', '0.01', '--epochs', '20', '--recipe', 'nodrop', '--max-length', '12'],
    ...['--out', run, '--export', exported],
  );
  expect([trained.code, trained.error]).toEqual([0, expect.stringContaining(`exported to ${exported}\n`)]);
});

interface Predicted {
  readonly label: string;
  readonly probabilities: Readonly<Record<string, number>>;
}

/** What the folder's own files say of texts, read as other programs read them. */
async function said(at: string, graph: string, texts: readonly string[]): Promise<Record<string, number>[]> {
  const { id2label } = json(at, 'config.json') as { id2label: Record<string, string> };
  const tokenizer = new Tokenizer(json(at, 'tokenizer.json') as never);
  const session = await ort.InferenceSession.create(readFileSync(join(at, 'onnx', graph)), {
    logSeverityLevel: 3,
  });
  const results: Record<string, number>[] = [];
  for (const text of texts) {
    const { inputIds } = tokenizer.encode([text], { maxLength: 12 })[0]!;
    const tensor = (values: readonly number[]): ort.Tensor =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const { logits } = await session.run({
      input_ids: tensor(inputIds),
      attention_mask: tensor(inputIds.map(() => 1)),
      token_type_ids: tensor(inputIds.map(() => 0)),
    });
    const powers = Array.from(logits!.data as Float32Array, Math.exp);
    const sum = powers.reduce((a, b) => a + b, 0);
    results.push(Object.fromEntries(powers.map((power, i) => [id2label[i]!, power / sum])));
  }
  return results;
}

test('train --export writes a folder for other programs, which says what predict says', async () => {
  expect(readdirSync(exported).sort()).toEqual([
    ...['README.md', 'config.json', 'model.safetensors', 'onnx'],
    ...['tokenizer.json', 'tokenizer_config.json', 'vocab.txt'],
  ]);
  expect(readdirSync(join(exported, 'onnx')).sort()).toEqual(['model.onnx', 'model_quantized.onnx']);
  expect(json(exported, 'config.json')).toMatchObject({
    ...{ architectures: ['BertForSequenceClassification'], problem_type: 'single_label_classification' },
    ...{ id2label: { 0: 'no', 1: 'yes' }, label2id: { no: 0, yes: 1 } },
  });
  expect(json(exported, 'tokenizer_config.json')).toMatchObject({
    ...{ tokenizer_class: 'BertTokenizer', model_max_length: 12, pad_token: '[PAD]', cls_token: '[CLS]' },
    model_input_names: ['input_ids', 'token_type_ids', 'attention_mask'],
  });
  const texts = ['the film was great', 'a night was awful', 'the day was very poor'];
  const { out } = await call('predict', run, ...texts, '--format', 'jsonl', ...cpu);
  const predicted = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Predicted);
  const float = await said(exported, 'model.onnx', texts);
  const integer = await said(exported, 'model_quantized.onnx', texts);
  for (const [row, { label, probabilities }] of predicted.entries()) {
    for (const [name, probability] of Object.entries(probabilities)) {
      expect(Math.abs(float[row]![name]! - probability)).toBeLessThan(1e-5);
      expect(Math.abs(integer[row]![name]! - probability)).toBeLessThan(0.1);
    }
    expect(integer[row]![label]).toBeGreaterThan(0.5);
  }
});

test('the card names metrics with intervals, recipe, rows, hashes and the command', () => {
  const card = readFileSync(join(exported, 'README.md'), 'utf8');
  expect(card).toMatch(/^---\nlibrary_name: transformers\npipeline_tag: text-classification\n/);
  expect(card).toMatch(/\| accuracy +\| 1\.0000 +\| 1\.0000 to 1\.0000 \|/);
  expect(card).toMatch(/- recipe: nodrop/);
  expect(card).toMatch(/- 48 rows to learn from, sha256 `[0-9a-f]{64}`/);
  expect(card).toContain('On 48 rows the model was trained on;');
  const [, config] = /`npx hypetune train --config config.json` with\n\n```json\n(.*?)```/s.exec(card)!;
  expect(JSON.parse(config!)).toMatchObject({ learningRate: 0.01, recipe: { name: 'nodrop' }, seed: 0 });
  expect(json(run, 'hypetune.json')).toMatchObject({
    data: { train: { rows: 48 }, evaluation: { rows: 48 } },
    intervals: { accuracy: [1, 1] },
  });
});

test('a saved run has a card of its own, which may be edited', () => {
  const card = readFileSync(join(run, 'README.md'), 'utf8');
  expect(card).toMatch(/\| accuracy +\| 1\.0000 +\| 1\.0000 to 1\.0000 \|/);
  expect(card).toMatch(/^# run$/m);
  expect(card).toMatch(/Written by hypetune \d+\.\d+\.\d+\.$/m);
  expect(card).toContain("await openRun('run')");
  expect(card).not.toMatch(/onnx\/|pipeline\(/);
  expect(readFileSync(join(run, 'checksums.sha256'), 'utf8')).not.toContain('README.md');
});

test('export does of a saved run what train --export did', async () => {
  const out = join(folder, 'again');
  const { code, error } = await call('export', run, '--out', out);
  expect([code, error]).toEqual([0, expect.stringContaining(`exported to ${out}`)]);
  for (const file of readdirSync(exported, { recursive: true, withFileTypes: true })) {
    if (!file.isFile() || file.name === 'README.md') continue;
    const path = join(file.parentPath, file.name).slice(exported.length);
    expect(readFileSync(join(out, path)).equals(readFileSync(join(exported, path))), path).toBe(true);
  }
  const twice = await call('export', run, '--out', out);
  expect([twice.code, twice.error]).toEqual([1, expect.stringMatching(/--out: .*again' is not empty/)]);
  const half = await call('export', run, '--out', out, '--force', '--dtype', 'fp16,fp16');
  expect([half.code, readdirSync(join(out, 'onnx'))]).toEqual([0, ['model_fp16.onnx']]);
  expect(readFileSync(join(out, 'README.md'), 'utf8')).toContain(
    "pipeline('text-classification', 'again', { dtype: 'fp16' })",
  );
});

test('a classifier that another tool saved is exported, with tokens and kind made plain', async () => {
  const foreign = join(folder, 'foreign');
  cpSync(exported, foreign, { recursive: true });
  const config = { ...json(foreign, 'config.json'), problem_type: undefined };
  writeFileSync(join(foreign, 'config.json'), JSON.stringify(config));
  for (const name of ['tokenizer.json', 'tokenizer_config.json', 'README.md', 'onnx'])
    rmSync(join(foreign, name), { recursive: true });
  const out = join(folder, 'from-foreign');
  expect((await call('export', foreign, '--out', out)).code).toBe(0);
  expect(json(out, 'config.json')).toMatchObject({ problem_type: 'single_label_classification' });
  expect(json(out, 'tokenizer.json')).toEqual(json(exported, 'tokenizer.json'));
  expect(readFileSync(join(out, 'README.md'), 'utf8')).not.toMatch(/## Metrics|undefined/);
});

test('what cannot be exported is refused by name, and nothing is left behind', async () => {
  const out = join(folder, 'refused');
  const refused = async (source: string, ...flags: string[]): Promise<string> => {
    const { code, error } = await call('export', source, '--out', out, ...flags);
    expect([code, existsSync(out)]).toEqual([1, false]);
    return error;
  };
  for (const place of [run, join(run, 'onnx'), folder])
    expect((await call('export', run, '--out', place, '--force')).error).toMatch(/--out: .* must lie beside/);
  const both = await call('train', '--task', 'spam', '--out', out, '--export', join(out, 'onnx'));
  expect(both.error).toMatch(/--export: .*onnx' and .*refused' must lie beside each other/);
  const empty = join(folder, 'empty');
  write('empty/readme.txt', 'nothing');
  expect(await refused(empty)).toMatch(/empty: there is no hypetune\.json nor a config\.json/);
  write('decoder/config.json', JSON.stringify({ model_type: 'gpt2' }));
  expect(await refused(join(folder, 'decoder'))).toMatch(/config\.json: model_type must be one of/);
  const damaged = join(folder, 'damaged');
  cpSync(run, damaged, { recursive: true });
  const weights = readFileSync(join(damaged, 'model.safetensors'));
  weights[weights.length - 1]! ^= 1;
  writeFileSync(join(damaged, 'model.safetensors'), weights);
  expect(await refused(damaged)).toMatch(/model\.safetensors: the file is not the one that was saved/);
  expect(await refused(run, '--dtype', 'int4')).toMatch(
    /--dtype: there is no 'int4'; there are fp32, fp16, q8/,
  );
});
