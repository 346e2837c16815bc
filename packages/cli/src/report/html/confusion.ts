import type { ClassReport } from '@hypetune/core';
import { escape } from './escape.js';
import { tableOf } from './page.js';

/** The figures of every class as a table. */
export function classesTable({ classes }: ClassReport): string {
  return tableOf(
    'Figures class by class',
    ['class', 'precision', 'recall', 'f1', 'rows', 'predicted'],
    classes.map(({ name, precision, recall, f1, support, predicted }) => [
      ...[name, precision.toFixed(4), recall.toFixed(4), f1.toFixed(4), String(support), String(predicted)],
    ]),
  );
}

/** How often each class was taken for each, shaded by the share of the row; undefined where labels are no single classes. */
export function confusionTable({ classes, confusion }: ClassReport): string {
  if (!confusion || classes.length > 30) return '';
  const head = classes.map(({ name }) => `<th scope="col">${escape(name)}</th>`).join('');
  const body = confusion.map((counts, label) => {
    const all = counts.reduce((sum, count) => sum + count, 0);
    const cells = counts.map((count, predicted) => {
      const share = all === 0 ? 0 : (65 * count) / all;
      const colour = predicted === label ? '--s3' : '--s2';
      return `<td class="heat" style="background:color-mix(in srgb, var(${colour}) ${share.toFixed(0)}%, transparent)">${count}</td>`;
    });
    return `<tr><th scope="row">${escape(classes[label]!.name)}</th>${cells.join('')}</tr>`;
  });
  return (
    `<div class="scroll" tabindex="0" role="region" aria-label="Confusion matrix"><table>` +
    `<caption>Confusion matrix: a row for each label, a column for what was predicted</caption>` +
    `<thead><tr><th scope="col">label</th>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>`
  );
}
