import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { beforeAll, expect, test } from 'vitest';
import { scratch } from '../packages/cli/test/scratch.js';
import { CHROMIUM } from './support/chromium.js';
import { deploy, deployBlocks } from './support/deploy-page.js';
import { serveFiles } from './support/file-server.js';
import { installedPackage } from './support/installed-package.js';

const home = scratch();
const at = (...path: string[]): string => join(home.folder, ...path);
let library = '';

beforeAll(async () => {
  await deploy(home);
  library = installedPackage('@huggingface/transformers', '4.3.2');
}, 300_000);

test('the Node service of docs/deploy.md answers', { timeout: 120_000 }, async () => {
  symlinkSync(join(library, '../..'), at('node_modules'));
  writeFileSync(at('service.mjs'), deployBlocks('js')[0]!);
  const service = spawn(process.execPath, ['service.mjs'], {
    cwd: home.folder,
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  try {
    const [line] = (await once(service.stdout, 'data')) as [Buffer];
    const port = /listening at (\d+)/.exec(line.toString())![1]!;
    const response = await fetch(`http://localhost:${port}`, { method: 'POST', body: 'You won a prize' });
    expect(await response.json()).toEqual([
      { label: expect.stringMatching(/^(spam|ham)$/) as string, score: expect.any(Number) as number },
    ]);
  } finally {
    service.kill();
  }
});

test.runIf(CHROMIUM !== undefined)('the page of docs/deploy.md answers', { timeout: 120_000 }, async () => {
  const folders = {
    lib: join(library, 'dist'),
    ort: join(library, '../../onnxruntime-web/dist'),
    models: at('models'),
  };
  const server = await serveFiles(folders, { '/': deployBlocks('html')[0]! });
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    tab.on('pageerror', (error) => {
      console.error(error);
    });
    const elsewhere: string[] = [];
    tab.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.origin))
        elsewhere.push(request.url());
    });
    await tab.goto(server.origin);
    await tab.waitForFunction("/^(spam|ham) [01]\\.\\d\\d$/.test(document.querySelector('output').value)");
    await tab.fill('textarea', 'the minutes of the meeting');
    await tab.waitForFunction("/^(spam|ham) /.test(document.querySelector('output').value)");
    expect(elsewhere).toEqual([]);
  } finally {
    await browser.close();
    server.close();
  }
});
