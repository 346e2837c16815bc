// Pages with generated parts: `<!-- generated: NAME -->` ... `<!-- end -->`.
import { readFile, writeFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';

/** The page with its generated parts made anew, formatted as the repository's other pages. */
export async function fillParts(page: string, parts: Readonly<Record<string, string>>): Promise<string> {
  const filled = Object.entries(parts).reduce(
    (text, [name, part]) =>
      text.replace(
        new RegExp(`(<!-- generated: ${name} -->\n).*?(<!-- end -->)`, 's'),
        (_, open: string, close: string) => `${open}\n${part}\n\n${close}`,
      ),
    page,
  );
  return format(filled, { ...(await resolveConfig(import.meta.filename)), parser: 'markdown' });
}

/** A Markdown table; the formatter pads its cells. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** Rewrites a file, or only says that it is not current and by which command it is made. */
export async function writeCurrent(
  file: URL,
  make: (before: string) => string | Promise<string>,
  check: boolean,
  command = 'npm run docs',
): Promise<void> {
  const before = await readFile(file, 'utf8').catch(() => '');
  const current = await make(before);
  if (current === before) return;
  if (!check) return writeFile(file, current);
  const name = relative(fileURLToPath(new URL('..', import.meta.url)), fileURLToPath(file));
  console.error(`${name} is out of date; run \`${command}\`.`);
  process.exitCode = 1;
}
