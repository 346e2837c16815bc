import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { call } from '../../../test/call.js';
import { scratch } from '../../../test/scratch.js';
import { sentiment, tinyFlags } from '../../../test/tiny-model.js';

const home = scratch();
const { write, folder } = home;
const browser = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);
const pages: Record<string, string> = {};

/** In the page: the least contrast of a text to the page behind it (WCAG 2), and how many parts a keyboard must reach. */
const READ = `(() => {
  const channel = (value) => (value /= 255) <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  const light = (colour) => {
    const [r, g, b] = colour.match(/[\\d.]+/g).map(Number);
    return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  };
  const back = light(getComputedStyle(document.body).backgroundColor);
  const contrast = (colour) => (Math.max(light(colour), back) + 0.05) / (Math.min(light(colour), back) + 0.05);
  const texts = [...document.querySelectorAll('p, li, th, td, h1, h2, caption, figcaption, summary')];
  const drawn = [...document.querySelectorAll('svg text')];
  return {
    least: Math.min(
      ...texts.map((part) => contrast(getComputedStyle(part).color)),
      ...drawn.map((part) => contrast(getComputedStyle(part).fill)),
    ),
    parts: document.querySelectorAll('[tabindex="0"], summary, a').length - document.querySelectorAll('details:not([open]) [tabindex="0"]').length,
  };
})()`;

beforeAll(async () => {
  const table = write('train.tsv', sentiment(24));
  const data = [...(await tinyFlags(home, table)), '--epochs', '2'];
  const [store, run] = [join(folder, 'store'), join(folder, 'run')];
  const recipes = ['--recipes', 'vanilla,nodrop,hype', '--seeds', '3', '--option', 'hype.scale=1e38'];
  await call('compare', ...data, ...recipes, '--store', store, '--keep-best', 'accuracy');
  await call('train', ...data, '--learning-rate', '0.02', '--keep-best', 'loss', '--out', run);
  for (const [name, place] of Object.entries({ store, run })) {
    const file = join(folder, `${name}.html`);
    expect((await call('report', place, '--out', file, '--title', 'A <b>report</b>')).code).toBe(0);
    pages[name] = readFileSync(file, 'utf8');
  }
  for (const format of ['markdown', 'latex', 'csv', 'jsonl'])
    pages[format] = (await call('report', store, '--format', format)).out;
  pages.refused = (await call('report', run, '--format', 'csv')).error;
});

test('the page of a comparison has all of it and needs nothing else', () => {
  const page = pages.store!;
  expect(page).toContain('<h1>A &lt;b&gt;report&lt;/b&gt;</h1>');
  for (const title of [
    'What they say',
    'train.tsv',
    'Cost and gain',
    'Runs that failed',
    'Every run',
    'Where it comes from',
  ])
    expect(page).toContain(`<h2>${title}</h2>`);
  expect(page).toContain('Training loss on train.tsv');
  expect(page).toContain('the loss is NaN at step 1');
  expect(page).not.toMatch(/(?:src|href)="(?!#)|url\(|@import|https?:/);
  expect(page.match(/<svg [^>]*role="img" aria-label="[^"]+"/g)).toHaveLength(page.match(/<svg /g)!.length);
  expect(page.match(/<caption>/g)).toHaveLength(page.match(/<table>/g)!.length);
});

test('the page of one run has curve, classes, confusion matrix and rows', () => {
  const page = pages.run!;
  for (const text of ['Learning curves', 'Confusion matrix', 'Figures class by class', 'accuracy by step'])
    expect(page).toContain(text);
  expect(pages.refused).toContain('of one run there is a report as html');
});

test('the same as Markdown, LaTeX, CSV and JSON lines', () => {
  expect(pages.markdown).toMatch(/^\| nodrop \| 3 \| 0 \| \d\.\d{4} \|/m);
  expect(pages.latex).toMatch(/^nodrop & 3 & \d\.\d{4} \$\\pm\$ \d\.\d{4} & /m);
  const csv = pages.csv!.trim().split('\n');
  expect(csv[0]).toMatch(/^recipe,task,seed,status,accuracy,loss,/);
  expect(csv).toHaveLength(10);
  expect(csv.filter((line) => line.includes(',failed,'))).toHaveLength(3);
  const lines = pages
    .jsonl!.trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { status: string; identity: object });
  expect(lines).toHaveLength(9);
  expect(lines[0]).toMatchObject({ status: 'finished', identity: { engine: 'cpu' } });
});

describe.skipIf(!browser)(
  `in a browser (${browser ?? 'skipped: there is no Chromium on this machine'})`,
  () => {
    test.each(['store', 'run'])('%s: nothing is cut off at three widths, and nothing goes wrong', (name) => {
      // Frames of three widths, each measured by the page around them.
      const widths = [360, 768, 1280];
      const text = JSON.stringify(pages[name]).replaceAll('<', '\\u003c');
      const file = write(
        `measure-${name}.html`,
        `<!doctype html><body><script>
const found = []; const widths = ${JSON.stringify(widths)};
for (const width of widths) {
  const frame = document.createElement('iframe');
  frame.style.cssText = 'border:0;height:800px;width:' + width + 'px';
  frame.srcdoc = ${text}.replace(/<meta http-equiv[^>]*>/, '');
  frame.onload = () => {
    const page = frame.contentDocument;
    const box = (part) => part.getBoundingClientRect();
    found.push({
      width,
      scrolls: page.documentElement.scrollWidth > width,
      headings: page.querySelectorAll('h2').length,
      pictures: [...page.querySelectorAll('svg')].every((part) => box(part).height > 40 && box(part).width > 300),
      focus: [...page.querySelectorAll('.scroll[role=region]')].every((part) => part.tabIndex === 0),
      numbers: !/NaN|undefined|Infinity/.test([...page.querySelectorAll('svg')].map((part) => part.outerHTML).join('')),
    });
    if (found.length === widths.length) document.body.textContent = 'FOUND' + JSON.stringify(found) + 'END';
  };
  document.body.append(frame);
}
</script></body>`,
      );
      const flags = [
        '--headless=new',
        '--no-sandbox',
        '--disable-gpu',
        '--virtual-time-budget=5000',
        '--dump-dom',
      ];
      const { stdout } = spawnSync(browser!, [...flags, `file://${file}`], {
        encoding: 'utf8',
        timeout: 50_000,
      });
      const found = JSON.parse(/FOUND(.*)END/.exec(stdout)![1]!) as { width: number }[];
      const wanted = { scrolls: false, pictures: true, focus: true, numbers: true };
      expect(found.sort((a, b) => a.width - b.width)).toMatchObject(
        widths.map((width) => ({ width, ...wanted })),
      );
    });

    test('light and dark can be read, the keyboard reaches every part, and every picture has words', async () => {
      const engine = await chromium.launch({ executablePath: browser!, args: ['--no-sandbox'] });
      try {
        for (const colorScheme of ['light', 'dark'] as const) {
          const tab = await engine.newPage({ colorScheme, viewport: { width: 1280, height: 900 } });
          const asked: string[] = [];
          tab.on('request', (request) => asked.push(request.url()));
          await tab.goto(`file://${join(folder, 'store.html')}`);
          const { least, parts } = await tab.evaluate<{ least: number; parts: number }>(READ);
          expect(least).toBeGreaterThan(4.5);
          const reached = new Set<string>();
          for (let press = 0; press < 2 * parts; press += 1) {
            await tab.keyboard.press('Tab');
            reached.add(
              await tab.evaluate<string>(
                '[...document.querySelectorAll("*")].indexOf(document.activeElement) + ""',
              ),
            );
          }
          expect(reached.size).toBeGreaterThanOrEqual(parts);
          const pictures = await tab.evaluate<string[]>(
            "[...document.querySelectorAll('svg[role=img]')].map((part) => part.getAttribute('aria-label'))",
          );
          expect(pictures.length).toBeGreaterThan(3);
          for (const label of pictures) expect(label).toMatch(/: vanilla |: hype |: nodrop /);
          expect(asked).toHaveLength(1);
          await tab.close();
        }
      } finally {
        await engine.close();
      }
    });
  },
);

test('a grid over rows makes a label curve, of tasks that are compared one by one', async () => {
  const table = write('curve.tsv', sentiment(24));
  const store = join(folder, 'curve-store');
  const told = [
    ...(await tinyFlags(home, table)),
    '--steps',
    '1',
    '--recipes',
    'vanilla,nodrop',
    '--seeds',
    '2',
  ];
  const { out } = await call('compare', ...told, '--store', store, '--grid', 'limit=8,24', '--json', '-');
  const { tasks } = JSON.parse(out) as { tasks: { name: string; family: string; rows: { train: number } }[] };
  expect(tasks.map(({ name, family, rows }) => [name, family, rows.train])).toEqual([
    ['curve.tsv limit=8', 'curve.tsv', 8],
    ['curve.tsv limit=24', 'curve.tsv', 24],
  ]);
  const file = join(folder, 'curve.html');
  await call('report', store, '--out', file);
  const page = readFileSync(file, 'utf8');
  expect(page).toContain('<h2>curve.tsv by the number of rows</h2>');
  expect(page).toMatch(
    /aria-label="accuracy on curve\.tsv by rows learned from, at the end: vanilla \S+ at 24, nodrop /,
  );
  expect(page).toMatch(/<th scope="col">8<\/th><th scope="col">24<\/th>/);
  expect((await call('compare', ...told, '--grid', 'limit=0')).error).toContain('grid: limit: ');
  expect((await call('compare', ...told, '--grid', 'rows=1')).error).toContain('limit, limitPerClass.');
});
