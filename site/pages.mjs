/**
 * Gathers the site's pages in `pages`: those of `docs`, and the README of the repository and of every package and example, where they are
 * read in the repository too. A README becomes its folder's page; pictures and finished pages that they show go along, and links to what else
 * is no page lead to the repository.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('..', import.meta.url));
const { homepage } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
export const repository = homepage.replace(/#.*/, '');

const foldersOf = (parent) =>
  readdirSync(join(root, parent)).filter((name) => existsSync(join(root, parent, name, 'README.md')));
export const packages = foldersOf('packages');
export const examples = foldersOf('examples');
export const docs = readdirSync(join(root, 'docs'))
  .filter((file) => file.endsWith('.md'))
  .map((file) => file.slice(0, -3));
const pages = [
  ...['README.md', 'CONTRIBUTING.md', ...docs.map((name) => `docs/${name}.md`)],
  ...packages.map((name) => `packages/${name}/README.md`),
  ...examples.map((name) => `examples/${name}/README.md`),
];

export const read = (page) => readFileSync(join(root, page), 'utf8');
export const titleOf = (page) => /^# (.*)$/m.exec(read(page))?.[1] ?? page;

/** What a link to a heading ends in, as in the repository. */
export const headingId = (heading) =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, '')
    .replaceAll(' ', '-');

/** A page's place on the site, as a link. */
const placeOf = (page) => `/${page.replace(/README\.md$/, '').replace(/\.md$/, '')}`;

/** The text of a page with the links of the site; `shown` gets the files that it shows as they are. */
export function sitePage(page, shown) {
  return read(page).replace(/\]\((?![a-z]+:|#)([^)#\s]*)(#[^)\s]*)?\)/g, (_, link, anchor = '') => {
    const target = posix.join(dirname(page), link).replace(/\/$/, '');
    if (pages.includes(target)) return `](${placeOf(target)}${anchor})`;
    if (pages.includes(`${target}/README.md`)) return `](${placeOf(`${target}/README.md`)}${anchor})`;
    if (!/\.(png|svg|html)$/.test(target)) return `](${repository}/blob/main/${target}${anchor})`;
    shown(target);
    return `](/${target})${target.endsWith('.html') ? '{target="_self"}' : ''}`;
  });
}

export function writePages(folder) {
  rmSync(folder, { recursive: true, force: true });
  const place = (...path) => {
    const file = join(folder, ...path);
    mkdirSync(dirname(file), { recursive: true });
    return file;
  };
  const copy = (shown) => copyFileSync(join(root, shown), place('public', shown));
  for (const page of pages)
    writeFileSync(place(page.replace(/README\.md$/, 'index.md')), sitePage(page, copy));
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  writePages(fileURLToPath(new URL('pages', import.meta.url)));
