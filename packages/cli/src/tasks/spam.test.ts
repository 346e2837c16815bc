import { expect, test } from 'vitest';
import { scratch } from '../../test/scratch.js';
import { firstRows, fixedOrder } from './fixed-order.js';
import { mailSubject, subjectIdentity } from './mail-subject.js';
import { spamRows, spamTask } from './spam.js';

const { write, folder } = scratch();
const mail = (subject: string): string =>
  JSON.stringify({ text: `From: a@b\nSubject: ${subject}\n\nSubject: body\n` });
for (const group of ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'])
  write(`data/${group}/.keep`, '');
write('data/easy-ham-1/1.json', mail('Lunch at noon'));
write('data/easy-ham-1/2.json', mail('Re: RE: lunch at  noon'));
write('data/spam-1/1.json', mail('=?iso-8859-1?Q?Caf=E9_for_free=21?='));
write('data/spam-2/1.json', JSON.stringify({ text: 'From: a@b\n\nno subject' }));
write('data/spam-2/2.json', mail('lunch at noon'));

test('a subject is unfolded, its encoded words decoded, and the body left alone', () => {
  expect(mailSubject('Subject: a\n\tb\nTo: c\n\nx')).toBe('a b');
  expect(mailSubject('SUBJECT: =?utf-8?B?w7w=?=\n =?UTF-8?q?_ber?=\n\n')).toBe('ü ber');
  expect(mailSubject('Subject: =?no-such-set?Q?abc?=\n\n')).toBe('=?no-such-set?Q?abc?=');
  expect(mailSubject('Subject:\n\nSubject: body')).toBeUndefined();
  expect(mailSubject('From: a\n\nSubject: body')).toBeUndefined();
  expect(subjectIdentity('Re: FW: re[2]: Hello')).toBe('hello');
});

test('each different subject counts once, the first mail that has it', async () => {
  expect(await spamRows(folder)).toEqual([
    { text: 'Lunch at noon', label: 0 },
    { text: 'Café for free!', label: 1 },
  ]);
});

test('the first lines are to learn from, the others to measure on', async () => {
  const task = await spamTask(folder, 1);
  expect([task.train.length, task.evaluation.length, task.task.labels]).toEqual([1, 1, ['ham', 'spam']]);
  await expect(spamTask(folder, 2)).rejects.toThrow('--limit: the spam task has 2 lines');
  await expect(spamTask(`${folder}/none`, 1)).rejects.toThrow('has no data/easy-ham-1');
});

test('the fixed order is a permutation, always the same, and not the order of the file', () => {
  const order = fixedOrder(100);
  expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, row) => row));
  expect(order.slice(0, 6)).toEqual(GOLDEN);
  expect(firstRows(['a', 'b', 'c', 'd'], 2)).toHaveLength(2);
  expect(firstRows(['a', 'b'], 5)).toHaveLength(2);
});

/** The start of the order, written down: data sets must not change under a user between two versions. */
const GOLDEN = [31, 53, 66, 88, 23, 95];
