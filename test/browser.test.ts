import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { diskFolder } from '@hypetune/models';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { lossesOf, type Losses } from './support/browser-losses.js';
import { CHROMIUM } from './support/chromium.js';
import { serveFiles } from './support/file-server.js';
import { tokenRows } from './support/token-rows.js';

const here = fileURLToPath(new URL('.', import.meta.url));
const fixture = join(here, '../packages/models/fixtures/bert');
const wasm = join(
  dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')),
  '../wasm-out',
);

/** The text of a module's bundle for browsers; throws where anything imports a module of Node.js. */
async function bundle(code: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: here, loader: 'ts' },
    ...{ bundle: true, write: false, format: 'esm', platform: 'browser', minify: true },
    ...{ conditions: ['@hypetune/source'], logLevel: 'silent' },
  });
  return outputFiles[0]!.text;
}

/** Packages that are Node.js's by their nature. */
const OF_NODE = ['cli', 'create-hypetune', 'testing'];

test('every package loads in a browser bundle, without a module of Node.js', async () => {
  const home = join(here, '../packages');
  const entries = readdirSync(home).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(home, folder, 'package.json'), 'utf8')) as {
      readonly name: string;
      readonly exports?: Readonly<Record<string, unknown>>;
    };
    if (OF_NODE.includes(folder)) return [];
    return [exports?.['./browser'] ? `${name}/browser` : name];
  });
  expect(entries).toEqual(
    expect.arrayContaining(['@hypetune/core', '@hypetune/lora', '@hypetune/models/browser']),
  );
  const text = await bundle(
    entries.map((name, i) => `import * as p${i} from '${name}'; console.log(p${i});`).join('\n'),
  );
  expect(text.length).toBeLessThan(4e6);
  await expect(bundle("import '@hypetune/models';")).rejects.toThrow('Could not resolve');
});

test.runIf(CHROMIUM !== undefined)(
  'losses of 50 steps in a browser are those of Node.js, bit for bit',
  { timeout: 120_000 },
  async () => {
    const wanted = await lossesOf(diskFolder(fixture), tokenRows(40), {
      threads: 1,
      fused: false,
      steps: 50,
    });
    expect([wanted.threads, wanted.losses.length]).toEqual([1, 50]);
    expect(wanted.losses[49]).toBeLessThan(wanted.losses[0]!);
    const worker = await bundle("import './support/browser-worker.js';");
    const page = `<!doctype html><script type="module">
      const files = {};
      for (const name of ['config.json', 'model.safetensors']) files[name] = await (await fetch('/model/' + name)).blob();
      window.train = (options) => new Promise((resolve, reject) => {
        const worker = new Worker('/worker.js', { type: 'module' });
        worker.onmessage = ({ data }) => {
          worker.terminate();
          if (data.error) reject(new Error(data.error));
          else resolve(data.answer);
        };
        worker.postMessage({ files, options: { ...options, binaries: location.origin + '/wasm/' } });
      });
    </script>`;
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    try {
      for (const [isolated, steps] of [
        [false, 50],
        [true, 5],
      ] as const) {
        const server = await serveFiles(
          { model: fixture, wasm },
          { '/': page, '/worker.js': worker },
          isolated,
        );
        const tab = await browser.newPage();
        await tab.goto(server.origin);
        await tab.waitForFunction('window.train !== undefined');
        const got = (await tab.evaluate(`train({ threads: 2, fused: false, steps: ${steps} })`)) as Losses;
        const { losses, product } = wanted;
        // A page that is not isolated may not share memory: there is one thread.
        expect(got.threads).toBe(isolated ? 2 : 1);
        expect(got.losses).toEqual(losses.slice(0, steps));
        expect(got.product).toEqual(product);
        await tab.close();
        server.close();
      }
    } finally {
      await browser.close();
    }
  },
);
