import '@tensorflow/tfjs-backend-cpu';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { setBackend } from '@tensorflow/tfjs-core';
import { beforeAll, expect, test } from 'vitest';
import { readModel } from './checkpoint/read-model.js';
import { modelFiles } from './checkpoint/model-files.js';
import { blobFolder } from './model-folder.js';
import { readTokenizer } from './tokenizer/read-tokenizer.js';

const fixture = fileURLToPath(new URL('../fixtures/bert', import.meta.url));
const blob = (name: string): Blob => new Blob([readFileSync(`${fixture}/${name}`)]);
const files = { 'config.json': blob('config.json'), 'model.safetensors': blob('model.safetensors') };

beforeAll(async () => {
  await setBackend('cpu');
});

test('files that a browser has are read as a folder, and what a model writes is read again', async () => {
  const { model, folder, initialized } = await readModel(blobFolder('picked', files));
  expect([folder, initialized]).toEqual(['picked', []]);
  const written = modelFiles(model);
  const chunks: Uint8Array<ArrayBuffer>[] = [];
  for await (const chunk of written['model.safetensors']) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  const again = blobFolder('written', {
    'config.json': new Blob([written['config.json']]),
    'model.safetensors': new Blob(chunks),
  });
  const read = await readModel(again);
  for (const [i, weight] of model.getWeights().entries())
    expect(read.model.getWeights()[i]!.dataSync()).toEqual(weight.dataSync());
  model.dispose();
  read.model.dispose();
});

test('what is missing or damaged is said by the name of the folder', async () => {
  const refused = (changes: Record<string, Blob | undefined>): Promise<unknown> => {
    const given = Object.entries({ ...files, ...changes }).filter((entry): entry is [string, Blob] =>
      Boolean(entry[1]),
    );
    return readModel(blobFolder('picked', Object.fromEntries(given)));
  };
  await expect(refused({ 'config.json': undefined })).rejects.toThrow('picked: there is no config.json');
  await expect(refused({ 'config.json': new Blob(['{']) })).rejects.toThrow(
    'picked/config.json: not valid JSON',
  );
  await expect(refused({ 'model.safetensors': undefined })).rejects.toThrow(
    'picked: there is no model.safetensors',
  );
  await expect(refused({ 'model.safetensors': files['model.safetensors'].slice(0, 9_000) })).rejects.toThrow(
    'picked/model.safetensors',
  );
  const torch = { 'model.safetensors': undefined, 'pytorch_model.bin': new Blob([]) };
  await expect(refused(torch)).rejects.toThrow('pytorch_model.bin is not read');
  await expect(readTokenizer(blobFolder('picked', files))).rejects.toThrow(
    'picked: there is no tokenizer.json',
  );
});
