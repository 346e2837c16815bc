// Fills in the generated tables of docs/reliability.md from what `npm run torture -- --publish` and `npm run certify -- --publish` wrote.
import { existsSync, readFileSync } from 'node:fs';
import type { Certified } from './certify/certificate.js';
import { fillParts, table } from './generated.js';
import type { Published } from './torture/publish.js';

const read = <T>(name: string): readonly T[] => {
  const file = new URL(`../docs/${name}.json`, import.meta.url);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as T[]) : [];
};

const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 1 });

/** The page with both tables made anew. */
export function reliabilityPage(page: string): Promise<string> {
  return fillParts(page, {
    torture: read<Published>('torture').map(tortured).join('\n\n'),
    fidelity: read<Certified>('fidelity').map(certified).join('\n\n'),
  });
}

function tortured({ name, summary, unit, goal, done, state }: Published): string {
  const faults = Object.keys(state.faults).length;
  const figures = Object.entries(state.figures).map(
    ([figure, { first, last, most }]) =>
      `${figure}: first ${number(first)}, last ${number(last)}, at most ${number(most)}`,
  );
  const lines = [
    `**${name}**: ${number(done)} of ${number(goal)} ${unit}, ${faults} faults${state.skipped === undefined ? '' : ` (not run: ${state.skipped})`}. ${summary}`,
    done === 0
      ? ''
      : table(
          ['of which', 'count'],
          Object.entries(state.kinds).map(([kind, count]) => [kind, number(count)]),
        ),
    figures.length === 0 ? '' : `${figures.join('; ')}.`,
  ];
  return lines.filter((line) => line !== '').join('\n\n');
}

function certified({ name, summary, comparisons }: Certified): string {
  const rows = comparisons.map(({ name: row, difference, tolerance, note }) => {
    // JSON has no Infinity and no NaN.
    const bounded = (tolerance as number | null) !== null;
    const shown = (difference as number | null) === null ? 'NaN' : difference.toExponential(1);
    const within = !bounded || difference <= tolerance;
    return [
      row.replaceAll('|', '\\|'),
      within ? shown : `**${shown}**`,
      bounded ? tolerance.toExponential(0) : (note ?? ''),
    ];
  });
  return `**${name}**. ${summary}\n\n${table(['compared', 'largest difference', 'at most'], rows)}`;
}
