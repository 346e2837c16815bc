import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { docs, examples, headingId, packages, read, repository, titleOf } from '../pages.mjs';

/** A method's page has an equation. */
const isMethod = (name) => /^\*\*Equation/m.test(read(`packages/${name}/README.md`));
const packageItem = (name) => ({ text: name, link: `/packages/${name}/` });
const docsItem = (name) => ({ text: titleOf(`docs/${name}.md`), link: `/docs/${name}` });
const named = {
  Start: ['start', 'texts', 'coming-from', 'troubleshooting'],
  Guides: [
    'experiments',
    'tasks',
    'data',
    'models',
    'methods',
    'stacking',
    'deploy',
    'settings',
    'environment',
    'results',
  ],
  Inside: ['how-it-works', 'hooks', 'life-of-a-batch'],
};
const others = docs.filter((name) => !Object.values(named).flat().includes(name));
const groups = {
  Start: named.Start.map(docsItem),
  Guides: [
    ...named.Guides.map(docsItem),
    { text: 'Choose an engine', link: '/packages/engine/' },
    ...others.map(docsItem),
  ],
  Inside: named.Inside.map(docsItem),
};
/** Typedoc's pages, which `npm run dev` may lack. */
const apiPages = fileURLToPath(new URL('../pages/api', import.meta.url));
const apiNames = existsSync(apiPages)
  ? readdirSync(apiPages, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.md') && file !== 'index.md')
      .map((file) => file.slice(0, -3))
      .sort()
  : [];

/** A wave, the noise, as a picture of one line. */
const icon = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 16q4-18 7 0t6 0 6 0 7 0" fill="none" stroke="#5b6ee1" stroke-width="4" stroke-linecap="round"/></svg>',
)}`;

export default defineConfig({
  title: 'hypetune',
  description: 'Regularized fine-tuning of pre-trained Transformers in TypeScript',
  srcDir: 'pages',
  outDir: 'dist',
  lastUpdated: false,
  head: [['link', { rel: 'icon', href: icon }]],
  markdown: {
    anchor: { slugify: headingId },
    config(markdown) {
      const { code_inline: plain } = markdown.renderer.rules;
      markdown.renderer.rules.code_inline = (tokens, place, ...rest) => {
        if (/^(\S{1,32}|.{1,24})$/.test(tokens[place].content)) tokens[place].attrJoin('class', 'whole');
        return plain(tokens, place, ...rest);
      };
    },
  },
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/docs/start' },
      { text: 'Methods', link: '/docs/methods' },
      { text: 'Hooks', link: '/docs/hooks' },
      { text: 'API', link: '/api/' },
      { text: 'Code', link: repository },
    ],
    sidebar: [
      ...Object.entries(groups).map(([text, items]) => ({ text, items })),
      {
        text: 'Write a method',
        items: [
          { text: 'Fifteen lines', link: '/packages/core/' },
          { text: 'Step by step, with the contract', link: '/CONTRIBUTING' },
        ],
      },
      { text: 'Methods', collapsed: true, items: packages.filter(isMethod).map(packageItem) },
      {
        text: 'Packages',
        collapsed: true,
        items: packages.filter((name) => !isMethod(name)).map(packageItem),
      },
      {
        text: 'Examples',
        collapsed: true,
        items: examples.map((name) => ({
          text: titleOf(`examples/${name}/README.md`),
          link: `/examples/${name}/`,
        })),
      },
      {
        text: 'API',
        collapsed: true,
        items: apiNames.map((name) => ({ text: name, link: `/api/${name}` })),
      },
    ],
    outline: { level: [2, 3] },
  },
});
