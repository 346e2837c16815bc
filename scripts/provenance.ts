// Figures have a command: a table of measured numbers says, in its section or in one around it, what made them.
import { readFileSync } from 'node:fs';

/** A table of figures that no command is named for. */
export interface Unfounded {
  readonly line: number;
  readonly heading: string;
}

const FIGURE = /\d\.\d|\d\s?(%|ms|s|min|MB|MiB|GB|kB)\b/;
/** Fewer such cells are settings or sizes in passing. */
const FIGURES = 3;

interface Section {
  readonly level: number;
  readonly heading: string;
  text: string;
  readonly tables: { readonly line: number; rows: string[] }[];
}

/** The tables of figures on a page whose section, and those around it, name no command of `known`. Generated tables are left out. */
export function unfounded(page: string, known: RegExp): Unfounded[] {
  const sections = sectionsOf(
    page.replace(/<!-- generated:.*?<!-- end -->/gs, (part) => part.replace(/[^\n]/g, '')),
  );
  return sections.flatMap((section, place) => {
    const around = [section];
    for (const before of sections.slice(0, place).reverse())
      if (before.level < around.at(-1)!.level) around.push(before);
    if (around.some(({ text }) => known.test(text))) return [];
    return section.tables
      .filter(({ rows }) => figures(rows) >= FIGURES)
      .map(({ line }) => ({ line, heading: section.heading }));
  });
}

function figures(rows: readonly string[]): number {
  const cells = rows.slice(2).flatMap((row) => row.split('|').slice(2, -1));
  return cells.filter((cell) => FIGURE.test(cell.replace(/`[^`]*`/g, ''))).length;
}

function sectionsOf(page: string): Section[] {
  const sections: Section[] = [{ level: 0, heading: '', text: '', tables: [] }];
  let fenced = false;
  for (const [place, line] of page.split('\n').entries()) {
    if (line.startsWith('```')) fenced = !fenced;
    const [, marks, heading] = (!fenced && /^(#+) (.*)$/.exec(line)) || [];
    if (marks) sections.push({ level: marks.length, heading: heading!, text: '', tables: [] });
    const section = sections.at(-1)!;
    if (!fenced && line.startsWith('|')) {
      const last = section.tables.at(-1);
      if (last && last.line + last.rows.length === place + 1) last.rows.push(line);
      else section.tables.push({ line: place + 1, rows: [line] });
    } else section.text += `${line}\n`;
  }
  return sections;
}

/** The commands that make figures: scripts of this workspace, the command itself, a program that stands in it. */
export function measuringCommands(root: URL): RegExp {
  const { scripts } = JSON.parse(readFileSync(new URL('package.json', root), 'utf8')) as {
    readonly scripts: Readonly<Record<string, string>>;
  };
  return new RegExp(
    `npm run (${Object.keys(scripts).join('|')})\\b|hypetune (train|compare|evaluate|predict|verify)\\b|\`[^\`\n]*\\w/[\\w./-]+\\.(ts|mjs|py)\\b`,
  );
}
