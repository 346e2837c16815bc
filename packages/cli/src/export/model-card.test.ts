import { bertConfig, withLabels } from '@hypetune/models';
import { expect, test } from 'vitest';
import type { RunRecord } from '../run-folder.js';
import { type CardFacts, modelCard } from './model-card.js';

const facts: CardFacts = {
  ...{ name: 'm', labels: ['no', 'yes'], maxLength: 12, record: undefined, precisions: ['fp32', 'q8'] },
  config: withLabels(bertConfig({ model_type: 'bert' }), ['no', 'yes']),
};
const record = {
  ...{ version: 1, maxLength: 12, recipe: 'vanilla', seed: 0, engine: 'cpu', config: {}, steps: 1 },
  ...{ finished: true, task: { name: 't', kind: 'classification', labels: [], metrics: [], pair: true } },
} satisfies RunRecord as RunRecord;

test('a card shows a row as the programs take it', async () => {
  const of = (more: Partial<CardFacts>): Promise<string> => modelCard({ ...facts, ...more });
  const config = (problem: string): CardFacts['config'] => ({ ...facts.config, problem_type: problem });
  expect(await of({})).toContain("await classify('a text'))");
  expect(await of({ record })).toContain("tokenizer('a text', { text_pair: 'another', truncation: true })");
  expect(await of({ record })).toContain('({"text": "a text", "text_pair": "another"})');
  expect(await of({ record, precisions: [] })).toContain(
    "run.predict([{ text: 'a text', pair: 'another' }])",
  );
  const several = await of({ config: config('multi_label_classification') });
  expect(several).toContain("classify('a text', { top_k: null })");
  expect(several).toContain('top_k=None)("a text")');
  expect(await of({ config: config('regression') })).toContain('console.log(logits.tolist()[0]);');
});

test('it names a graph that is there, and no program that lacks the model', async () => {
  expect(await modelCard(facts)).toContain("{ dtype: 'q8' }");
  expect(await modelCard({ ...facts, precisions: ['fp16'] })).toContain("{ dtype: 'fp16' }");
  const xlnet = await modelCard({ ...facts, config: { ...facts.config, model_type: 'xlnet' } });
  expect(xlnet).toContain('transformers.js has no such model');
  expect(xlnet).not.toMatch(/@huggingface|- transformers\.js/);
});
