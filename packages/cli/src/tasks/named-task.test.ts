import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { namedTask, splitRows } from './named-task.js';
import { GLUE } from './named-tasks.js';

const { write, folder } = scratch();
const home = process.env.HYPETUNE_GLUE;

write('glue/CoLA/train.tsv', 'gj04\t1\t\tFine words.\ngj04\t0\t*\tWords fine the.\n');
write('glue/CoLA/dev.tsv', 'gj04\t1\t\tMore.\n');
write(
  'glue/mrpc/train.tsv',
  'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n1\t1\t2\tHe said " yes .\tYes .\n',
);
write('glue/mrpc/dev.tsv', 'Quality\t#1 ID\t#2 ID\t#1 String\t#2 String\n0\t1\t2\tA\tB\n');
write('alone/train.tsv', 'index\tsentence1\tsentence2\tlabel\n0\ta\tb\tnot_entailment\n');
write('alone/dev.tsv', 'index\tsentence1\tsentence2\tlabel\n0\ta\tb\tentailment\n');
const stsb = 'index\tgenre\tfilename\tyear\told_index\tsource1\tsource2\tsentence1\tsentence2\tscore\n';
write('glue/STS-B/train.tsv', `${stsb}0\tg\tf\ty\t1\tn\tn\tA plane.\tAn air plane.\t4.750\n`);
write('glue/STS-B/dev.tsv', `${stsb}0\tg\tf\ty\t1\tn\tn\tA\tB\t5.5\n`);

test('CoLA has no header; its label is the second column', async () => {
  const task = await namedTask('cola', `${folder}/glue`);
  expect(task).toMatchObject({
    task: { name: 'classification', labels: ['unacceptable', 'acceptable'] },
    metrics: ['matthews', 'accuracy'],
  });
  expect(task.train).toEqual([
    { text: 'Fine words.', label: 1 },
    { text: 'Words fine the.', label: 0 },
  ]);
});

test('MRPC keeps single quotes; the folder may be written in any case', async () => {
  const task = await namedTask('mrpc', `${folder}/glue`);
  expect(task.train).toEqual([{ text: 'He said " yes .', pair: 'Yes .', label: 1 }]);
});

test('a split may have very many rows', async () => {
  const row = 'id\t1\t2\tA\tB\t1\n';
  write('many/QQP/train.tsv', `id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n${row.repeat(130_000)}`);
  expect(await splitRows('qqp', `${folder}/many`, 'train')).toHaveLength(130_000);
});

test('a folder may hold the task itself', async () => {
  const task = await namedTask('rte', `${folder}/alone`);
  expect([task.train[0]!.label, task.evaluation[0]!.label]).toEqual([1, 0]);
});

test('a score out of range, a missing folder and a missing task are said', async () => {
  await expect(namedTask('sts-b', `${folder}/glue`)).rejects.toThrow(
    "dev.tsv:2: the label must be a number from 0 to 5, got '5.5'.",
  );
  await expect(namedTask('rte', `${folder}/none`)).rejects.toThrow(
    `data: there is no folder '${folder}/none'.`,
  );
  await expect(namedTask('rte', `${folder}/glue`)).rejects.toThrow(
    `data: neither a folder RTE nor a table train (.tsv, .jsonl, .parquet, ...) in ${folder}/glue.`,
  );
});

const reason =
  home === undefined
    ? 'HYPETUNE_GLUE names no folder of the GLUE tasks'
    : existsSync(home)
      ? ''
      : `${home} is missing`;

test.skipIf(reason !== '')(
  `the official files have their published numbers of rows${reason && ` (skipped: ${reason})`}`,
  async () => {
    const sizes = await Promise.all(
      // Of QQP lines are left out.
      Object.keys(GLUE)
        .filter((name) => name !== 'qqp')
        .map(async (name) => {
          const { train, evaluation } = await namedTask(name, home!);
          return [name, train.length, evaluation.length];
        }),
    );
    expect(sizes).toEqual([
      ['cola', 8551, 1043],
      ['mrpc', 3668, 408],
      ['mnli', 392702, 9815],
      ['mnli-mismatched', 392702, 9832],
      ['qnli', 104743, 5463],
      ['wnli', 635, 71],
      ['rte', 2490, 277],
      ['sst-2', 67349, 872],
      ['sts-b', 5749, 1500],
    ]);
  },
);

test('the pairs of MNLI, QNLI, QQP and WNLI; MNLI has two sets to measure on', async () => {
  const head = 'index\tpromptID\tgenre\tsentence1\tsentence2\tlabel1';
  write('glue/MNLI/train.tsv', `${head}\tgold_label\n0\t1\tg\ta\tb\tneutral\tneutral\n`);
  write(
    'glue/MNLI/dev_matched.tsv',
    `${head}\tlabel2\tgold_label\n0\t1\tg\tc\td\tneutral\tneutral\tentailment\n`,
  );
  write(
    'glue/MNLI/dev_mismatched.tsv',
    `${head}\tlabel2\tgold_label\n0\t1\tg\te\tf\tneutral\tneutral\tcontradiction\n`,
  );
  const [matched, other] = [
    await namedTask('mnli', `${folder}/glue`),
    await namedTask('mnli-mismatched', `${folder}/glue`),
  ];
  expect(matched.train).toEqual([{ text: 'a', pair: 'b', label: 1 }]);
  expect([matched.evaluation, other.evaluation]).toEqual([
    [{ text: 'c', pair: 'd', label: 0 }],
    [{ text: 'e', pair: 'f', label: 2 }],
  ]);
  const rows = {
    QNLI: 'index\tquestion\tsentence\tlabel\n0\tWho?\tHe.\tnot_entailment\n',
    QQP: 'id\tqid1\tqid2\tquestion1\tquestion2\tis_duplicate\n0\t1\t2\tWhy?\tHow?\t1\n5\tbroken\n',
    WNLI: 'index\tsentence1\tsentence2\tlabel\n0\ta\tb\t1\n',
  };
  for (const [name, text] of Object.entries(rows))
    for (const split of ['train', 'dev']) write(`glue/${name}/${split}.tsv`, text);
  for (const name of Object.keys(rows))
    expect((await namedTask(name.toLowerCase(), `${folder}/glue`)).train).toMatchObject([{ label: 1 }]);
});

test('MRPC as it comes: a byte order mark, quotes that end nowhere; QQP and QNLI with quotes in a row', async () => {
  const head = '\uFEFFQuality\t#1 ID\t#2 ID\t#1 String\t#2 String\r\n';
  for (const split of ['train', 'dev'])
    write(`marked/MRPC/${split}.tsv`, `${head}1\t1\t2\t" Yes , he said .\tNo " .\r\n`);
  const { train } = await namedTask('mrpc', `${folder}/marked`);
  expect(train).toEqual([{ text: '" Yes , he said .', pair: 'No " .', label: 1 }]);
});

/** Lines of the columns that a table of these tasks has, the parses left empty. */
const parses = 'sentence1_binary_parse\tsentence2_binary_parse\tsentence1_parse\tsentence2_parse';
const lines = (...rows: readonly (readonly string[])[]): string =>
  `${rows.map((row) => row.join('\t')).join('\n')}\n`;

test('MNLI as GLUE has it: the label of its annotators is not the gold one', async () => {
  const annotators = ['label1', 'label2', 'label3', 'label4', 'label5'];
  const head = ['index', 'promptID', 'pairID', 'genre', ...parses.split('\t'), 'sentence1', 'sentence2'];
  const row = (...rest: string[]): string[] => ['0', '1', '1n', 'slate', '(', '(', '(', '(', ...rest];
  write(
    'whole/MNLI/train.tsv',
    lines([...head, 'label1', 'gold_label'], row('a', 'b', 'neutral', 'contradiction')),
  );
  for (const [set, label] of [
    ['matched', 'entailment'],
    ['mismatched', 'neutral'],
  ] as const)
    write(
      `whole/MNLI/dev_${set}.tsv`,
      lines(
        [...head, ...annotators, 'gold_label'],
        row('c', 'd "', ...annotators.map(() => 'contradiction'), label),
      ),
    );
  const { train, evaluation } = await namedTask('mnli', `${folder}/whole`);
  expect([train, evaluation]).toEqual([
    [{ text: 'a', pair: 'b', label: 2 }],
    [{ text: 'c', pair: 'd "', label: 0 }],
  ]);
  expect((await namedTask('MNLI-mismatched'.toLowerCase(), `${folder}/whole`)).evaluation[0]!.label).toBe(1);
});

test('SNLI as it was released: two forms of the same rows, and rows that nobody agreed on', async () => {
  const head = [
    'gold_label',
    ...parses.split('\t'),
    'sentence1',
    'sentence2',
    'captionID',
    'pairID',
    'label1',
    'label2',
  ];
  for (const split of ['train', 'dev', 'test']) {
    const text = lines(
      head,
      ['neutral', '(', '(', '(', '(', 'A "man', 'sleeps.', '1.jpg#0', '1.jpg#0r1n', 'neutral', ''],
      ['-', '(', '(', '(', '(', 'x', 'y', '2', '2', 'neutral', 'entailment'],
      ['contradiction', '(', '(', '(', '(', 'A', split, '3', '3', 'contradiction', ''],
    );
    write(`nli/snli_1.0/snli_1.0_${split}.txt`, text);
    const objects = [
      { annotator_labels: ['neutral'], gold_label: 'neutral', sentence1: 'A "man', sentence2: 'sleeps.' },
      { annotator_labels: ['neutral', 'entailment'], gold_label: '-', sentence1: 'x', sentence2: 'y' },
      { annotator_labels: ['contradiction'], gold_label: 'contradiction', sentence1: 'A', sentence2: split },
    ];
    write(`nli/snli_1.0/snli_1.0_${split}.jsonl`, objects.map((row) => JSON.stringify(row)).join('\n'));
    write(`tsv/SNLI/snli_1.0_${split}.txt`, text);
  }
  const wanted = [
    { text: 'A "man', pair: 'sleeps.', label: 1 },
    { text: 'A', pair: 'dev', label: 2 },
  ];
  expect((await namedTask('snli', `${folder}/nli`)).evaluation).toEqual(wanted);
  expect(await splitRows('snli', `${folder}/tsv`, 'dev')).toEqual(wanted);
  expect((await splitRows('snli', `${folder}/nli`, 'test'))[1]!.pair).toBe('test');
  const secret = lines(['sentence1', 'sentence2', 'gold_label'], ['a', 'b', '-']);
  await expect(namedTask('snli', `${folder}/nli`, write('secret.tsv', secret))).rejects.toThrow(
    'secret.tsv: no row has a label; its labels are not published.',
  );
});

test('SICK is one table of all splits, or the three of SemEval', async () => {
  const original = ['sentence_A_original', 'sentence_B_original', 'sentence_A_dataset', 'sentence_B_dataset'];
  write(
    'sick/SICK/SICK.txt',
    lines(
      [
        ...['pair_ID', 'sentence_A', 'sentence_B', 'entailment_label', 'relatedness_score'],
        'entailment_AB',
        'entailment_BA',
        ...original,
        'SemEval_set',
      ],
      ['1', 'A', 'B', 'NEUTRAL', '4.5', 'A_neutral_B', 'B_neutral_A', 'A', 'B', 'FLICKR', 'FLICKR', 'TRAIN'],
      [
        '4',
        'C',
        'D',
        'ENTAILMENT',
        '4.7',
        'A_entails_B',
        'B_entails_A',
        'C',
        'D',
        'FLICKR',
        'FLICKR',
        'TRIAL',
      ],
      ['5', 'E', 'F', 'CONTRADICTION', '3', 'A_contradicts_B', 'B_contradicts_A', 'E', 'F', 'S', 'S', 'TEST'],
    ),
  );
  const { train, evaluation } = await namedTask('sick', `${folder}/sick`);
  expect([train[0], evaluation[0]]).toEqual([
    { text: 'A', pair: 'B', label: 1 },
    { text: 'C', pair: 'D', label: 0 },
  ]);
  expect((await splitRows('sick', `${folder}/sick`, 'test'))[0]).toMatchObject({ text: 'E', label: 2 });
  const head = ['pair_ID', 'sentence_A', 'sentence_B', 'relatedness_score', 'entailment_judgment'];
  write('semeval/SICK_train.txt', lines(head, ['1', 'A', 'B', '4.5', 'CONTRADICTION']));
  write('semeval/SICK_trial.txt', lines(head, ['2', 'C', 'D', '4.5', 'NEUTRAL']));
  write('semeval/SICK_test.txt', lines(head.slice(0, 3), ['3', 'E', 'F']));
  write('semeval/SICK_test_annotated.txt', lines(head, ['3', 'E', 'F', '4.5', 'ENTAILMENT']));
  expect((await namedTask('sick', `${folder}/semeval`)).train[0]).toMatchObject({ label: 2 });
  expect((await splitRows('sick', `${folder}/semeval`, 'test'))[0]).toMatchObject({ pair: 'F', label: 0 });
});

test('SciTail has no header and two classes; HANS says non-entailment', async () => {
  for (const split of ['train', 'dev', 'test']) {
    write(
      `sci/SciTailV1.1/tsv_format/scitail_1.0_${split}.tsv`,
      '"A premise\tA hypothesis\tentails\nP\tH\tneutral\n',
    );
    write(`sci/SciTailV1.1/snli_format/scitail_1.0_${split}.txt`, '{"gold_label": "entailment"}\n');
  }
  const scitail = await namedTask('scitail', `${folder}/sci`);
  expect(scitail.task.labels).toEqual(['entailment', 'neutral']);
  expect(scitail.evaluation).toEqual([
    { text: '"A premise', pair: 'A hypothesis', label: 0 },
    { text: 'P', pair: 'H', label: 1 },
  ]);
  const head = [
    'gold_label',
    ...parses.split('\t'),
    'sentence1',
    'sentence2',
    'pairID',
    'heuristic',
    'subcase',
    'template',
  ];
  for (const split of ['train', 'evaluation'])
    write(
      `hans/heuristics_${split}_set.txt`,
      lines(head, [
        'non-entailment',
        '(',
        '(',
        '(',
        '(',
        'The doctor',
        'The actor',
        'ex0',
        'lexical_overlap',
        'ln_s',
        't1',
      ]),
    );
  expect((await namedTask('hans', `${folder}/hans`)).evaluation).toEqual([
    { text: 'The doctor', pair: 'The actor', label: 1 },
  ]);
});

test('Adversarial GLUE is one file of lists, and has nothing to learn from', async () => {
  const lists = {
    sst2: [{ idx: 0, label: 1, sentence: 'a w0nderful film' }],
    qqp: [{ idx: 0, label: 0, question1: 'Why?', question2: 'How?' }],
    mnli: [{ idx: 0, label: 2, premise: 'a', hypothesis: 'b' }],
    'mnli-mm': [{ idx: 0, label: 1, premise: 'c', hypothesis: 'd' }],
    qnli: [{ idx: 0, label: 1, question: 'Who?', sentence: 'He.' }],
    rte: [{ idx: 0, label: 0, sentence1: 'e', sentence2: 'f' }],
  };
  write('adv/dev/dev.json', JSON.stringify(lists));
  const rows = async (name: string): Promise<unknown> => (await splitRows(name, `${folder}/adv`, 'dev'))[0];
  expect(await rows('adv-sst-2')).toEqual({ text: 'a w0nderful film', label: 1 });
  expect(await rows('adv-qqp')).toEqual({ text: 'Why?', pair: 'How?', label: 0 });
  expect(await rows('adv-mnli')).toEqual({ text: 'a', pair: 'b', label: 2 });
  expect(await rows('adv-mnli-mismatched')).toEqual({ text: 'c', pair: 'd', label: 1 });
  expect(await rows('adv-qnli')).toEqual({ text: 'Who?', pair: 'He.', label: 1 });
  expect(await rows('adv-rte')).toEqual({ text: 'e', pair: 'f', label: 0 });
  await expect(namedTask('adv-rte', `${folder}/adv`)).rejects.toThrow(
    "'adv-rte' has no train rows; measure a run on it by hypetune evaluate RUN --task adv-rte.",
  );
  write('adv-less/dev.json', '{"sst2": []}');
  await expect(splitRows('adv-rte', `${folder}/adv-less`, 'dev')).rejects.toThrow(
    "dev.json: there is no list 'rte'; there are sst2.",
  );
});

test("the hub's tables: parts, class numbers with their names, -1 where the label is secret", async () => {
  const hub = fileURLToPath(new URL('../../test/fixtures/hub', import.meta.url));
  const { train, evaluation } = await namedTask('wnli', `${hub}/glue`);
  expect(train).toEqual([
    { text: 'a', pair: 'b', label: 0 },
    { text: 'c', pair: 'd', label: 1 },
  ]);
  expect(evaluation).toEqual([{ text: 'e', pair: 'f', label: 1 }]);
  expect(await splitRows('snli', `${hub}/snli`, 'train')).toEqual([{ text: 'g', pair: 'h', label: 2 }]);
  await expect(splitRows('wnli', `${hub}/glue`, 'test')).rejects.toThrow('no row has a label');
});

test('two tables that may be the same rows are an error that names both', async () => {
  const text = 'sentence1\tsentence2\tlabel\na\tb\tentailment\n';
  write('twice/train.tsv', text);
  write('twice/rte_train.tsv', text);
  write('twice/original/train.tsv', text);
  await expect(namedTask('rte', `${folder}/twice`)).rejects.toThrow(
    /rte_train\.tsv and .*twice\/train\.tsv may both be the rows of 'train'; name the folder of one/,
  );
});
