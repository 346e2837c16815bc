/** The pipelines of the programs that an exported folder is for: three versions of transformers.js in Node, two of them in a browser. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { call } from '../packages/cli/test/call.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { sentiment, tinyModel } from '../packages/cli/test/tiny-model.js';
import { CHROMIUM } from './support/chromium.js';
import { serveFiles } from './support/file-server.js';
import { installedPackage } from './support/installed-package.js';
import { TRANSFORMERS_JS } from './support/runtimes.js';

const home = scratch();
const [run, exported] = [join(home.folder, 'run'), join(home.folder, 'exported')];
const texts = ['the film was great', 'a night was awful', 'the day was very poor', 'the food was fine'];
let wanted: number[][] = [];

beforeAll(async () => {
  const table = home.write('train.tsv', sentiment(48));
  const trained = await call(
    ...['train', '--train', table, '--validation', table, '--model', await tinyModel(home)],
    ...['--engine', 'cpu', '--learning-rate', '0.01', '--epochs', '20', '--recipe', 'nodrop'],
    ...['--out', run, '--export', exported],
  );
  expect(trained.code).toBe(0);
  const { out } = await call('predict', run, ...texts, '--format', 'jsonl', '--engine', 'cpu');
  wanted = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { probabilities: { no: number; yes: number } })
    .map(({ probabilities: { no, yes } }) => [no, yes]);
});

/** What both places run: tokenizer and model, then the pipeline. */
const PROGRAM = `
  const tokenizer = await AutoTokenizer.from_pretrained('exported');
  const results = {};
  for (const dtype of ['fp32', 'q8']) {
    const options = { dtype, quantized: dtype === 'q8', device };
    const model = await AutoModelForSequenceClassification.from_pretrained('exported', options);
    const { logits } = await model(tokenizer(texts, { padding: true, truncation: true }));
    const classify = await pipeline('text-classification', 'exported', options);
    results[dtype] = { logits: logits.tolist(), said: await classify(texts) };
  }
`;

interface Result {
  readonly logits: readonly (readonly number[])[];
  readonly said: readonly { readonly label: string; readonly score: number }[];
}

function check({ fp32, q8 }: Readonly<Record<'fp32' | 'q8', Result>>): void {
  for (const [row, [no, yes]] of wanted.entries()) {
    const probability = ({ logits }: Result): number =>
      1 / (1 + Math.exp(logits[row]![0]! - logits[row]![1]!));
    expect(Math.abs(probability(fp32) - yes!)).toBeLessThan(1e-4);
    expect(Math.abs(probability(q8) - yes!)).toBeLessThan(0.1);
    for (const { said } of [fp32, q8]) expect(said[row]!.label).toBe(yes! > no! ? 'yes' : 'no');
    expect(Math.abs(fp32.said[row]!.score - Math.max(no!, yes!))).toBeLessThan(1e-4);
  }
}

describe.each(TRANSFORMERS_JS)('%s %s', (name, version, entry) => {
  test('in Node', { timeout: 300_000 }, () => {
    const script = join(home.folder, `${version}.mjs`);
    writeFileSync(
      script,
      `import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from ${JSON.stringify(join(installedPackage(name, version), entry))};
       env.allowRemoteModels = false;
       env.localModelPath = ${JSON.stringify(`${home.folder}/`)};
       const [texts, device] = [${JSON.stringify(texts)}, undefined];
       ${PROGRAM}
       console.log('results', JSON.stringify(results));`,
    );
    const out = execFileSync(process.execPath, [script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    check(JSON.parse(/^results (.*)$/m.exec(out)![1]!) as Parameters<typeof check>[0]);
  });

  const inBrowser = version.startsWith('2.') ? false : CHROMIUM !== undefined;
  test.runIf(inBrowser)('in Chromium, from this machine alone', { timeout: 300_000 }, async () => {
    const library = installedPackage(name, version);
    const runtime = join(library, '../../onnxruntime-web/dist');
    const page = `<!doctype html><script type="module">
      import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from '/lib/transformers.js';
      env.allowLocalModels = true;
      env.allowRemoteModels = false;
      env.useBrowserCache = false;
      env.localModelPath = '/models/';
      env.backends.onnx.wasm.wasmPaths = '/ort/';
      env.backends.onnx.wasm.numThreads = 1;
      window.classified = (async (texts, device) => { ${PROGRAM} return results; })(${JSON.stringify(texts)}, 'wasm');
    </script>`;
    const folders = { lib: join(library, 'dist'), ort: runtime, models: home.folder };
    const server = await serveFiles(folders, { '/': page });
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    try {
      const tab = await browser.newPage();
      const elsewhere: string[] = [];
      tab.on('request', (request) => {
        if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(server.origin))
          elsewhere.push(request.url());
      });
      await tab.goto(server.origin);
      await tab.waitForFunction('window.classified !== undefined');
      check((await tab.evaluate('window.classified')) as Parameters<typeof check>[0]);
      expect(elsewhere).toEqual([]);
    } finally {
      await browser.close();
      server.close();
    }
  });
});
