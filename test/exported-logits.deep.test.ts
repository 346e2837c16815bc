/** Every family's folder in the programs it is for: logits are the trainer's. */
import '@tensorflow/tfjs-backend-cpu';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { regression, singleLabel } from '@hypetune/core';
import { loadModel, loadTokenizer } from '@hypetune/models';
import { setBackend, type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core';
import { beforeAll, describe, expect, test } from 'vitest';
import { exportModel } from '../packages/cli/src/export/export-model.js';
import { scratch } from '../packages/cli/test/scratch.js';
import { tinyModel } from '../packages/cli/test/tiny-model.js';
import { CHROMIUM } from './support/chromium.js';
import { installedPackage } from './support/installed-package.js';
import { inChromium, inNode, inPython, onWeb, type Runtime, TRANSFORMERS_JS } from './support/runtimes.js';

const FIXTURES = fileURLToPath(new URL('../packages/models/fixtures', import.meta.url));
const home = scratch();
let tokenizer = '';
beforeAll(async () => {
  tokenizer = await tinyModel(home);
  await setBackend('cpu');
});

const WORDS = ['good', 'fine', 'great', 'bad', 'poor', 'awful', 'day', 'night', 'film', 'food', 'the', 'was'];
/** 1,000 texts of 1 to 9 words. */
const texts = Array.from({ length: 1000 }, (_, row) =>
  Array.from({ length: 1 + ((row * 7) % 9) }, (_, i) => WORDS[(row * 5 + i * (1 + (row % 11))) % 12]!).join(
    ' ',
  ),
);

const python = process.env.HYPETUNE_PYTHON;
const runtimes: readonly (readonly [name: string, run: Runtime, without: readonly string[]])[] = [
  ...(python === undefined ? [] : [['onnxruntime', inPython(python), []] as const]),
  ['onnxruntime-web', onWeb, []],
  ...TRANSFORMERS_JS.flatMap((one) => {
    const [library, version] = one;
    const without = [
      'xlnet',
      ...(version.startsWith('4.') ? [] : ['eurobert']),
      ...(version.startsWith('2.') ? ['modernbert'] : []),
    ];
    const names = `${library} ${version}`;
    const browser = CHROMIUM !== undefined && !version.startsWith('2.');
    return [
      [`${names} in Node.js`, inNode(one), without] as const,
      ...(browser ? [[`${names} in Chromium`, inChromium(one), without] as const] : []),
    ];
  }),
];

const FAMILIES = [
  ...['bert', 'roberta', 'electra', 'families/albert', 'families/camembert', 'families/deberta'],
  ...['families/deberta-v3', 'families/distilbert', 'families/eurobert', 'families/modernbert'],
  ...['families/mpnet', 'families/xlm-roberta', 'families/xlnet'],
];

describe.each(FAMILIES)('%s', (path) => {
  const name = path.split('/').at(-1)!;
  const folder = join(home.folder, name);
  const own: number[][] = [];

  beforeAll(async () => {
    const { model } = await loadModel(join(FIXTURES, path), {
      task: singleLabel({ labels: ['a', 'b', 'c'] }),
    });
    await exportModel(folder, { model, tokenizer, maxLength: 12 });
    const encoded = (await loadTokenizer(folder)).encode(texts);
    for (const { inputIds, tokenTypeIds } of encoded) {
      const inputs = [inputIds, inputIds.map(() => 1), tokenTypeIds];
      own.push(
        tidy(() =>
          Array.from(
            (model.predict(inputs.map((row) => tensor2d([row], undefined, 'int32'))) as Tensor).dataSync(),
          ),
        ),
      );
    }
    model.dispose();
  }, 300_000);

  const known = runtimes.filter(([, , without]) => !without.includes(name));
  test.each(known)('%s', { timeout: 300_000 }, async (_, run) => {
    const apart = async (dtype: 'fp32' | 'q8'): Promise<number> => {
      const { logits } = await run(folder, dtype, texts);
      expect(logits).toHaveLength(texts.length);
      return Math.max(...logits.flatMap((row, i) => row.map((value, j) => Math.abs(value - own[i]![j]!))));
    };
    expect(await apart('fp32')).toBeLessThan(1e-4);
    const size = Math.max(1, ...own.flat().map(Math.abs));
    expect((await apart('q8')) / size).toBeLessThan(0.2);
  });
});

test.each(TRANSFORMERS_JS)(
  'a regression in %s %s: the model gives the value, its pipeline a share that is always 1',
  { timeout: 300_000 },
  async (library, version, entry) => {
    const folder = join(home.folder, 'value');
    const { model } = await loadModel(join(FIXTURES, 'families/distilbert-regression'), {
      task: regression(),
    });
    await exportModel(folder, { model, tokenizer, maxLength: 12 });
    model.dispose();
    const [value] = (await onWeb(folder, 'fp32', ['the film was good'])).logits[0]!;
    const script = join(home.folder, 'value.mjs');
    writeFileSync(
      script,
      `import { AutoModelForSequenceClassification, AutoTokenizer, env, pipeline } from ${JSON.stringify(join(installedPackage(library, version), entry))};
       env.allowRemoteModels = false;
       env.localModelPath = ${JSON.stringify(`${home.folder}/`)};
       const options = { dtype: 'fp32', quantized: false };
       const tokenizer = await AutoTokenizer.from_pretrained('value');
       const model = await AutoModelForSequenceClassification.from_pretrained('value', options);
       const { logits } = await model(tokenizer('the film was good'));
       const [said] = await (await pipeline('text-classification', 'value', options))('the film was good');
       console.log('given', JSON.stringify([logits.data[0], said.score]));`,
    );
    const out = execFileSync(process.execPath, [script], { encoding: 'utf8' });
    const [logit, score] = JSON.parse(/^given (.*)$/m.exec(out)![1]!) as [number, number];
    expect(logit).toBeCloseTo(value!, 4);
    expect(score).toBe(1);
  },
);
