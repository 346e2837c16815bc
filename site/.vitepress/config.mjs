import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitepress';
import { docs, examples, packages, read, repository, titleOf } from '../pages.mjs';

/** A method's page has an equation. */
const isMethod = (name) => /^\*\*Equation/m.test(read(`packages/${name}/README.md`));
const packageItem = (name) => ({ text: name, link: `/packages/${name}/` });
const groups = {
  Start: ['start', 'texts', 'coming-from', 'troubleshooting'],
  Guides: [
    'experiments',
    'tasks',
    'data',
    'models',
    'stacking',
    'deploy',
    'settings',
    'environment',
    'results',
  ],
  Inside: ['how-it-works', 'hooks', 'life-of-a-batch'],
};
const named = Object.values(groups).flat();
groups.Guides.push(...docs.filter((name) => !named.includes(name)));
const hasApi = existsSync(fileURLToPath(new URL('../pages/api/index.md', import.meta.url)));
const api = hasApi ? [{ text: 'API', link: '/api/' }] : [];

export default defineConfig({
  title: 'hypetune',
  description: 'Regularized fine-tuning of pre-trained Transformers in TypeScript',
  srcDir: 'pages',
  outDir: 'dist',
  lastUpdated: false,
  themeConfig: {
    search: { provider: 'local' },
    nav: [
      { text: 'Start', link: '/docs/start' },
      { text: 'Methods', link: '/docs/stacking' },
      { text: 'Hooks', link: '/docs/hooks' },
      ...api,
      { text: 'Code', link: repository },
    ],
    sidebar: [
      ...Object.entries(groups).map(([text, names]) => ({
        text,
        items: names
          .filter((name) => docs.includes(name))
          .map((name) => ({ text: titleOf(`docs/${name}.md`), link: `/docs/${name}` })),
      })),
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
      ...api,
    ],
    outline: { level: [2, 3] },
  },
});
