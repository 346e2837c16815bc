import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { scratch } from '../packages/cli/test/scratch.js';
import { deploy, deployBlocks } from './support/deploy-page.js';

test('the commands of docs/deploy.md make the files that it lists', async () => {
  const home = scratch();
  await deploy(home);
  for (const file of [
    'config.json',
    'tokenizer.json',
    'tokenizer_config.json',
    'model.safetensors',
    'README.md',
  ])
    expect(existsSync(join(home.folder, 'models/mails', file)), file).toBe(true);
  for (const graph of ['model.onnx', 'model_quantized.onnx'])
    expect(existsSync(join(home.folder, 'models/mails/onnx', graph)), graph).toBe(true);
});

test('its programs are those that deploy.deep.test.ts runs', () => {
  expect([deployBlocks('csv'), deployBlocks('js'), deployBlocks('html')].map(({ length }) => length)).toEqual(
    [1, 1, 1],
  );
});
