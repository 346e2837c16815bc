/**
 * Follows every link of the built site to its file and its heading and every picture to its file, and looks every public name of the
 * packages up in the API. What is missing is printed, and the exit code is 1.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { entries } from './entries.mjs';

const built = fileURLToPath(new URL('dist', import.meta.url));
const mistakes = [];

const pages = new Map(
  readdirSync(built, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.html'))
    .map((file) => [file, readFileSync(join(built, file), 'utf8')]),
);
const headings = new Map(
  [...pages].map(([file, html]) => [
    file,
    new Set([...html.matchAll(/\sid="([^"]*)"/g)].map(([, id]) => id)),
  ]),
);

/** The file that a path of the site is served from. */
function fileOf(path) {
  const plain = decodeURI(path).replace(/^\//, '');
  return [plain, `${plain}.html`, posix.join(plain, 'index.html')].find(
    (file) => pages.has(file) || (file !== '' && /\.\w+$/.test(file) && existsSync(join(built, file))),
  );
}

let links = 0;
for (const [file, html] of pages)
  for (const [, link] of html.matchAll(/<(?:a [^>]*href|img [^>]*src)="([^"]*)"/g)) {
    if (/^[a-z]+:/i.test(link)) continue;
    links += 1;
    const [path, anchor] = link.split('#');
    const target =
      path === '' ? file : fileOf(path.startsWith('/') ? path : posix.join('/', dirname(file), path));
    if (target === undefined) mistakes.push(`${file}: there is no ${path}`);
    else if (anchor && !headings.get(target)?.has(decodeURIComponent(anchor)))
      mistakes.push(`${file}: ${target} has no heading #${decodeURIComponent(anchor)}`);
  }

const program = ts.createProgram(
  entries.map(({ source }) => source),
  {
    module: ts.ModuleKind.NodeNext,
    noResolve: false,
    skipLibCheck: true,
    customConditions: ['@hypetune/source'],
  },
);
const checker = program.getTypeChecker();
let names = 0;
for (const { name: imported, source } of entries) {
  const page = `api/${imported}`;
  const html = pages.get(fileOf(page)) ?? '';
  if (html === '') mistakes.push(`there is no ${page}`);
  const text = html.replace(/<[^>]*>/g, ' ');
  for (const { name } of checker.getExportsOfModule(
    checker.getSymbolAtLocation(program.getSourceFile(source)),
  )) {
    names += 1;
    if (!new RegExp(`(?<![\\w$])${name.replaceAll('$', '\\$')}(?![\\w$])`).test(text))
      mistakes.push(`${page} does not have ${name}`);
  }
}

console.log(`${pages.size} pages, ${links} links, ${names} public names`);
for (const mistake of new Set(mistakes)) console.error(mistake);
process.exitCode = mistakes.length === 0 ? 0 : 1;
