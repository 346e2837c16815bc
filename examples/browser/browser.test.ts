import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { unzipSync } from 'fflate';
import { Tokenizer } from '@hypetune/models';
import * as ort from 'onnxruntime-web';
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { scratch } from '../../packages/cli/test/scratch.js';
import { sentiment, tinyModel } from '../../packages/cli/test/tiny-model.js';
import { CHROMIUM } from '../../test/support/chromium.js';
import { inChromium, inNode, TRANSFORMERS_JS } from '../../test/support/runtimes.js';
import { bundlePage, servePage } from './browser.js';

const home = scratch();
const page = join(home.folder, 'page');
beforeAll(async () => {
  await bundlePage(page);
});

test('the page is smaller than 5 MB', () => {
  const files = readdirSync(page, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const bytes = files.map(({ parentPath, name }) => statSync(join(parentPath, name)).size);
  expect(files).toHaveLength(4);
  expect(bytes.reduce((sum, size) => sum + size, 0)).toBeLessThan(5e6);
});

let browser: Browser | undefined;
afterAll(async () => {
  await browser?.close();
});

/** Waits until the page says something. */
const said = async (tab: Page, pattern: RegExp): Promise<string> => {
  const status = tab.locator('#status', { hasText: pattern });
  await status.waitFor({ timeout: 60_000 });
  return (await status.textContent())!;
};
const stepsOf = async (tab: Page): Promise<number> =>
  (await tab.getAttribute('#loss polyline', 'points'))!.split(' ').length;

/** The page, served; `open` gives a tab of a context of its own, in which no error of the page is let pass. */
async function started(): Promise<{ server: Server; context: BrowserContext; open: () => Promise<Page> }> {
  const server = await servePage(page, await tinyModel(home));
  const address = `http://localhost:${(server.address() as AddressInfo).port}/?model=model/`;
  browser ??= await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
  const context = await browser.newContext();
  const open = async (): Promise<Page> => {
    const tab = await context.newPage();
    tab.on('pageerror', (error) => {
      throw error;
    });
    await tab.goto(address);
    return tab;
  };
  return { server, context, open };
}

test.runIf(CHROMIUM !== undefined)(
  'a table is learned in the tab: stopped, resumed in another tab, tried, downloaded',
  { timeout: 120_000 },
  async () => {
    const { server, context, open } = await started();
    const requests: string[] = [];
    context.on('request', (request) => {
      if (!/^(data|blob):/.test(request.url())) requests.push(request.url());
    });
    const first = await open();
    await said(first, /Choose a model/);
    await first.fill('#table', 'text,label\na text,one\n');
    await first.click('#train');
    await said(first, /two labels at least/);
    await first.fill('#table', sentiment(48));
    await first.selectOption('#recipe', 'nodrop');
    await first.fill('#epochs', '40');
    await first.fill('#rate', '0.01');
    await first.click('#train');
    await first.click('#stop'); // before the first step, as likely as not
    await said(first, /Stopped after \d+ steps/);
    await first.click('#resume');
    await said(first, /Training on 42 rows, measuring on 6, \d threads?/);
    await first.locator('#accuracy output', { hasText: /\d/ }).waitFor();
    const loaded = requests.length;
    await first.click('#stop');
    await said(first, /Stopped after \d+ steps/);
    const steps = await stepsOf(first);
    await first.close();

    const second = await open();
    expect(await said(second, /left at step/)).toBe(`A run on 48 rows was left at step ${steps} of 120.`);
    const opened = requests.length;
    await second.click('#resume');
    await said(second, /Finished after 120 steps/);
    expect(await stepsOf(second)).toBe(120);
    await second.fill('#text', 'the film was great');
    const answer = second.locator('#answer div', { hasText: 'yes' });
    const share = parseFloat((await answer.textContent())!.replace('yes', '')) / 100;
    expect(share).toBeGreaterThan(0.5);
    const [download] = await Promise.all([second.waitForEvent('download'), second.click('#export')]);
    const files = unzipSync(new Uint8Array(readFileSync(await download.path())));
    await second.close();
    // Nothing was asked for while the page trained, predicted and packed.
    expect(requests.slice(loaded, opened).filter((url) => url.includes('model/'))).toEqual([
      expect.stringMatching(/\/\?model=model\/$/),
    ]);
    expect(requests.slice(opened)).toEqual([]);
    server.close();

    expect(Object.keys(files).sort()).toEqual(
      [
        ...['config.json', 'model.safetensors', 'onnx/model.onnx', 'onnx/model_quantized.onnx'],
        ...['tokenizer.json', 'tokenizer_config.json'],
      ].map((name) => `classifier/${name}`),
    );
    const json = (name: string): unknown => JSON.parse(new TextDecoder().decode(files[`classifier/${name}`]));
    expect(json('config.json')).toMatchObject({ id2label: { 0: 'no', 1: 'yes' } });
    const { inputIds } = new Tokenizer(json('tokenizer.json') as never).encode(['the film was great'])[0]!;
    ort.env.wasm.numThreads = 1;
    const session = await ort.InferenceSession.create(files['classifier/onnx/model.onnx']!);
    const row = (values: readonly number[]): ort.Tensor =>
      new ort.Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]);
    const { logits } = await session.run({
      input_ids: row(inputIds),
      attention_mask: row(inputIds.map(() => 1)),
      token_type_ids: row(inputIds.map(() => 0)),
    });
    const [no, yes] = logits!.data as Float32Array;
    expect(1 / (1 + Math.exp(no! - yes!))).toBeCloseTo(share, 2);
    if (!process.env.HYPETUNE_DEEP) return;
    for (const [name, bytes] of Object.entries(files)) writeFileSync(home.write(name, ''), bytes);
    for (const one of TRANSFORMERS_JS)
      for (const run of [inNode(one), ...(one[1].startsWith('2.') ? [] : [inChromium(one)])]) {
        const said = await run(join(home.folder, 'classifier'), 'fp32', ['the film was great']);
        const [off, on] = said.logits[0]!;
        expect(1 / (1 + Math.exp(off! - on!))).toBeCloseTo(share, 2);
      }
  },
);

test.runIf(CHROMIUM !== undefined && process.env.HYPETUNE_DEEP)(
  'a tab that is closed while it trains loses a minute at most',
  { timeout: 300_000 },
  async () => {
    const { server, open } = await started();
    const first = await open();
    await said(first, /Choose a model/);
    await first.fill('#table', sentiment(48));
    await first.fill('#epochs', '100000');
    await first.click('#train');
    await first.locator('#accuracy output', { hasText: /\d/ }).waitFor();
    await first.waitForTimeout(70_000);
    const steps = await stepsOf(first);
    await first.close();

    const second = await open();
    const [, kept] = /was left at step (\d+) of/.exec(await said(second, /left at step/))!;
    expect(Number(kept)).toBeGreaterThan(steps / 2);
    await second.click('#resume');
    await second.waitForFunction(
      `document.querySelector('#loss polyline').getAttribute('points').split(' ').length > ${kept}`,
    );
    await second.click('#stop');
    await said(second, /Stopped after/);
    expect(await stepsOf(second)).toBeGreaterThan(Number(kept));
    server.close();
  },
);
