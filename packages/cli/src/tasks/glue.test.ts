import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { GLUE_TASKS, glueTask } from './glue.js';

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
  const task = await glueTask('cola', `${folder}/glue`);
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
  const task = await glueTask('mrpc', `${folder}/glue`);
  expect(task.train).toEqual([{ text: 'He said " yes .', pair: 'Yes .', label: 1 }]);
});

test('a folder may hold the task itself', async () => {
  const task = await glueTask('rte', `${folder}/alone`);
  expect([task.train[0]!.label, task.evaluation[0]!.label]).toEqual([1, 0]);
});

test('a score out of range, a missing folder and a missing task are said', async () => {
  await expect(glueTask('sts-b', `${folder}/glue`)).rejects.toThrow(
    "dev.tsv:2: the label must be a number from 0 to 5, got '5.5'.",
  );
  await expect(glueTask('rte', `${folder}/none`)).rejects.toThrow(
    `data: there is no folder '${folder}/none'.`,
  );
  await expect(glueTask('rte', `${folder}/glue`)).rejects.toThrow('RTE nor');
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
      GLUE_TASKS.filter((name) => name !== 'qqp').map(async (name) => {
        const { train, evaluation } = await glueTask(name, home!);
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
    await glueTask('mnli', `${folder}/glue`),
    await glueTask('mnli-mismatched', `${folder}/glue`),
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
    expect((await glueTask(name.toLowerCase(), `${folder}/glue`)).train).toMatchObject([{ label: 1 }]);
});
