import '@tensorflow/tfjs-backend-cpu';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { loadModel } from '@hypetune/models';
import { modelGraph, writeModel } from '@hypetune/onnx';
import { chromium } from 'playwright-core';
import { expect, test } from 'vitest';
import { CHROMIUM } from './support/chromium.js';
import { serveFiles } from './support/file-server.js';

const fixture = fileURLToPath(new URL('../packages/models/fixtures/bert', import.meta.url));
const runtime = dirname(createRequire(import.meta.url).resolve('onnxruntime-web'));

interface Expected {
  readonly inputIds: number[][];
  readonly attentionMask: number[][];
  readonly tokenTypeIds: number[][];
  readonly logits: number[][];
}

test.runIf(CHROMIUM !== undefined)('a graph gives the logits of PyTorch in a browser', async () => {
  await setBackend('cpu');
  const folder = mkdtempSync(join(tmpdir(), 'onnx-chromium-'));
  const { model } = await loadModel(fixture);
  await writeModel(join(folder, 'model.onnx'), modelGraph(model));
  model.dispose();
  const { logits, ...inputs } = JSON.parse(readFileSync(join(fixture, 'expected.json'), 'utf8')) as Expected;
  const page = `<!doctype html><script type="module">
    import * as ort from '/ort/ort.wasm.bundle.min.mjs';
    ort.env.wasm.wasmPaths = location.origin + '/ort/';
    ort.env.wasm.numThreads = 1;
    const { inputIds, attentionMask, tokenTypeIds } = ${JSON.stringify(inputs)};
    const tensor = (rows) =>
      new ort.Tensor('int64', BigInt64Array.from(rows.flat(), BigInt), [rows.length, rows[0].length]);
    const feeds = {
      input_ids: tensor(inputIds),
      attention_mask: tensor(attentionMask),
      token_type_ids: tensor(tokenTypeIds),
    };
    const session = await ort.InferenceSession.create('/model/model.onnx');
    window.logits = Array.from((await session.run(feeds)).logits.data);
  </script>`;
  const server = await serveFiles({ ort: runtime, model: folder }, { '/': page });
  const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
  try {
    const tab = await browser.newPage();
    await tab.goto(server.origin);
    await tab.waitForFunction('window.logits !== undefined');
    const got = (await tab.evaluate('window.logits')) as number[];
    for (const [i, wanted] of logits.flat().entries()) expect(Math.abs(got[i]! - wanted)).toBeLessThan(1e-5);
    expect(got).toHaveLength(logits.flat().length);
  } finally {
    await browser.close();
    server.close();
    rmSync(folder, { recursive: true });
  }
});
