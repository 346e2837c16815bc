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
  expect(several).toContain('top_k=None, truncation=True)("a text")');
  const values = await of({ config: config('regression') });
  expect(values).toContain('console.log(logits.tolist()[0]);');
  expect(values).toContain('pipeline("text-classification", "m", top_k=None, truncation=True)');
  const one = await of({ config: config('regression'), labels: ['LABEL_0'] });
  expect(one).toContain('pipeline("text-classification", "m", truncation=True)');
});

test('it says what was measured on which rows', async () => {
  const rows = { rows: 9, sha256: 'a' };
  const data = { train: { ...rows, sha256: 'b' }, evaluation: rows };
  const of = (more: Partial<RunRecord>): Promise<string> =>
    modelCard({
      ...facts,
      record: { ...record, data, metrics: { f1: 0.75 }, intervals: { f1: [0.5, 1] }, ...more },
    });
  const plain = await of({});
  expect(plain).toContain('On 9 rows the model was not trained on; the interval');
  expect(plain).toContain('| f1 | 0.7500 | 0.5000 to 1.0000 |');
  expect(plain).not.toContain('test rows');
  const chosen = await of({ best: { value: 0.75, epoch: 1 }, testMetrics: { f1: 0.5 } });
  expect(chosen).toContain('not trained on, by which its epoch was chosen; the interval');
  expect(chosen).toContain(
    'On test rows, which chose nothing:\n\n| metric | value |\n| --- | --- |\n| f1 | 0.5000 |',
  );
});

test('what to run again is a command where the rows were a table or a task', async () => {
  const of = (config: object): Promise<string> => modelCard({ ...facts, record: { ...record, config } });
  expect(await of({ train: 'a.csv' })).toContain('`npx hypetune train --config config.json` with');
  expect(await of({ task: 'spam' })).toContain('`npx hypetune train --config config.json` with');
  expect(await of({ epochs: 1 })).toContain('A `TextClassifier` with');
});

test('it names a graph that is there, and no program that lacks the model', async () => {
  expect(await modelCard(facts)).toContain("{ dtype: 'q8' }");
  expect(await modelCard({ ...facts, precisions: ['fp16'] })).toContain("{ dtype: 'fp16' }");
  const xlnet = await modelCard({ ...facts, config: { ...facts.config, model_type: 'xlnet' } });
  expect(xlnet).toContain('transformers.js has no such model');
  expect(xlnet).not.toMatch(/@huggingface|- transformers\.js/);
});

test('names that are odd stay whole in every language', async () => {
  const name = `it's a "run" of $5`;
  const exported = await modelCard({ ...facts, name });
  const text = JSON.stringify(name);
  expect(exported).toContain(`await pipeline('text-classification', ${text}, { dtype: 'q8' })`);
  expect(exported).toContain(`pipeline("text-classification", ${text}, truncation=True)`);
  const run = await modelCard({ ...facts, name, labels: ['a`b', '`'], precisions: [], record });
  expect(run).toContain(`await openRun(${text})`);
  expect(run).toContain(`\`npx hypetune export 'it'\\''s a "run" of $5' --out FOLDER\``);
  expect(run).toContain('Outputs: ``a`b``, `` ` ``.');
  expect(await modelCard({ ...facts, name, record })).toContain(`from_pretrained(${text})`);
});

test('a card tells no place of this machine, wherever in the configuration it stands', async () => {
  const config = {
    ...{
      train: '/home/ada/mails.csv',
      model: '/home/ada/base',
      validation: `${process.cwd()}/near/mails.csv`,
    },
    recipe: {
      name: 'd',
      plugins: [{ name: 'distillation', options: { teacher: '/home/ada/runs/teacher' } }],
    },
  };
  const card = await modelCard({ ...facts, record: { ...record, config } as unknown as RunRecord });
  expect(card).not.toMatch(/\/home|\/ada/);
  expect(card).toContain('fine-tuned from `base`');
  expect(card).toContain('"train": "mails.csv"');
  expect(card).toContain('"validation": "near/mails.csv"');
  expect(card).toContain('"teacher": "teacher"');
});
