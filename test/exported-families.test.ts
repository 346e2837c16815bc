/** Every family and task as an exported folder, and what text-embeddings-inference 1.9.3 asks of one, after its source. */
import '@tensorflow/tfjs-backend-cpu';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { multiLabel, regression, singleLabel, type Task, tokenClassification } from '@hypetune/core';
import { Checkpoint, diskFolder, loadModel } from '@hypetune/models';
import { setBackend } from '@tensorflow/tfjs-core';
import * as ort from 'onnxruntime-web';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportModel } from '../packages/cli/src/export/export-model.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { tinyModel } from '../packages/cli/test/tiny-model.js';

const FIXTURES = fileURLToPath(new URL('../packages/models/fixtures', import.meta.url));
const home = scratch();
let tokenizer = '';
beforeAll(async () => {
  tokenizer = await tinyModel(home);
  await setBackend('cpu');
  ort.env.wasm.numThreads = 1;
});

const TASKS: Readonly<Record<string, Task>> = {
  'a class': singleLabel({ labels: ['a', 'b', 'c'] }),
  'several labels': multiLabel({ labels: ['a', 'b', 'c'] }),
  'a value': regression(),
  'a class a token': tokenClassification({ labels: ['a', 'b', 'c'] }),
};

/** Where each family is, and the back ends of text-embeddings-inference that read it. */
const FAMILIES: readonly (readonly [path: string, backends: readonly ('candle' | 'ort')[]])[] = [
  ['bert', ['candle', 'ort']],
  ['roberta', ['candle', 'ort']],
  ['electra', ['ort']],
  ['families/albert', ['ort']],
  ['families/camembert', ['candle', 'ort']],
  ['families/deberta', ['ort']],
  ['families/deberta-v3', ['candle', 'ort']],
  ['families/distilbert', ['candle']],
  ['families/eurobert', ['ort']],
  ['families/modernbert', ['ort']],
  ['families/mpnet', ['ort']],
  ['families/xlm-roberta', ['candle', 'ort']],
  ['families/xlnet', []],
];

type Json = Readonly<Record<string, unknown>>;
const json = (...path: string[]): Json => JSON.parse(readFileSync(join(...path), 'utf8')) as Json;

/** What the Rust structures of the candle back end must find in config.json, and the tensors beside the encoder's. */
const BERT = {
  keys: [
    ...['vocab_size', 'hidden_size', 'num_hidden_layers', 'num_attention_heads', 'intermediate_size'],
    ...['hidden_act', 'hidden_dropout_prob', 'max_position_embeddings', 'type_vocab_size'],
    ...['initializer_range', 'layer_norm_eps', 'pad_token_id'],
  ],
};
const ROBERTA = { ...BERT, tensors: ['classifier.dense.weight', 'classifier.out_proj.weight'] };
const CANDLE: Readonly<
  Record<string, { readonly keys: readonly string[]; readonly tensors: readonly string[] }>
> = {
  bert: { ...BERT, tensors: ['bert.pooler.dense.weight', 'classifier.weight'] },
  roberta: ROBERTA,
  camembert: ROBERTA,
  'xlm-roberta': ROBERTA,
  distilbert: {
    keys: [
      ...['vocab_size', 'dim', 'n_layers', 'n_heads', 'hidden_dim', 'activation'],
      ...['max_position_embeddings', 'pad_token_id'],
    ],
    tensors: ['distilbert.embeddings.word_embeddings.weight', 'pre_classifier.weight', 'classifier.weight'],
  },
  'deberta-v2': {
    keys: [
      ...BERT.keys.filter((key) => !['hidden_dropout_prob', 'pad_token_id'].includes(key)),
      ...['relative_attention', 'max_relative_positions', 'position_biased_input', 'pos_att_type'],
      ...['pooler_hidden_size', 'pooler_hidden_act'],
    ],
    tensors: ['deberta.embeddings.word_embeddings.weight', 'pooler.dense.weight', 'classifier.weight'],
  },
};

/** The back ends that find in a folder all that they read. */
async function backendsOf(folder: string, session: ort.InferenceSession): Promise<string[]> {
  const config = json(folder, 'config.json');
  const has = (keys: readonly string[]): boolean => keys.every((key) => config[key] !== undefined);
  const names = (await Checkpoint.open(diskFolder(folder))).names;
  // The router's part, which both need; it takes no model without a table of positions.
  if (!has(['architectures', 'model_type', 'max_position_embeddings', 'id2label', 'label2id'])) return [];
  expect(Object.values(config.id2label as object).every((name) => typeof name === 'string')).toBe(true);
  expect(Object.values(config.label2id as object).every((id) => Number.isInteger(id))).toBe(true);
  expect(json(folder, 'tokenizer.json').model).toBeTypeOf('object');
  const candle = CANDLE[config.model_type as string];
  const known = ['input_ids', 'attention_mask', 'token_type_ids', 'position_ids'];
  return [
    ...(candle && has(candle.keys) && candle.tensors.every((name) => names.includes(name)) ? ['candle'] : []),
    ...(has(['hidden_size', 'num_hidden_layers']) &&
    session.inputNames.every((name) => known.includes(name)) &&
    session.outputNames.includes('logits')
      ? ['ort']
      : []),
  ];
}

describe.each(Object.entries(TASKS))('%s', (name, task) => {
  test.each(FAMILIES)('%s is a folder that other programs take', async (path, backends) => {
    const folder = join(home.folder, `${path} ${name}`.replaceAll(/\W/g, '-'));
    const { model } = await loadModel(join(FIXTURES, path), { task, seed: 1 });
    await exportModel(folder, { model, tokenizer, maxLength: 12, precisions: ['fp32'] });
    model.dispose();
    for (const file of ['tokenizer.json', 'tokenizer_config.json', 'model.safetensors', 'README.md'])
      expect(existsSync(join(folder, file)), file).toBe(true);
    const config = json(folder, 'config.json');
    const card = readFileSync(join(folder, 'README.md'), 'utf8');
    const none = path.endsWith('xlnet') || (path.endsWith('albert') && name === 'a class a token');
    expect(card.includes("from '@huggingface/transformers'")).toBe(!none);
    const tokens = name === 'a class a token';
    expect((config.architectures as string[])[0]).toMatch(
      tokens ? /ForTokenClassification$/ : /ForSequenceClassification$/,
    );
    if (!tokens) expect(config.problem_type).toBe(task.problemType);
    expect(Object.keys(config.id2label as object)).toHaveLength(name === 'a value' ? 1 : 3);
    if (name !== 'a class') return;
    const session = await ort.InferenceSession.create(readFileSync(join(folder, 'onnx/model.onnx')), {
      logSeverityLevel: 3,
    });
    expect(await backendsOf(folder, session)).toEqual(backends);
    await session.release();
  });
});
