import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { diskFolder } from '../disk-folder.js';
import { withoutRemoteCode } from '../remote-code.js';
import { tokenizerJson } from '../tokenizer/read-tokenizer.js';
import { folderOf } from './load-model.js';
import { modelFiles } from './model-files.js';

const TOKENIZER_FILES = [
  'tokenizer.json',
  'tokenizer_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
];

/** Where the tokenizer's files come from: default, the folder that the model was loaded from. */
export interface SaveModelOptions {
  readonly tokenizer?: string;
}

/**
 * Writes a Hugging Face folder: config.json, model.safetensors and the tokenizer's files, with a tokenizer.json made from
 * vocab.txt, or vocab.json and merges.txt, where there is none. Each file is written beside its place, the weights
 * one by one, and renamed when complete.
 */
export async function saveModel(
  model: LayersModel,
  folder: string,
  options: SaveModelOptions = {},
): Promise<void> {
  await mkdir(folder, { recursive: true });
  for (const [name, content] of Object.entries(modelFiles(model)))
    await replaceFile(join(folder, name), content as string | AsyncIterable<Uint8Array>);
  const tokenizer = options.tokenizer ?? folderOf(model);
  if (tokenizer === undefined || resolve(tokenizer) === resolve(folder)) return;
  const present = new Set(await readdir(tokenizer));
  for (const name of TOKENIZER_FILES.filter((file) => present.has(file))) {
    await copyFile(join(tokenizer, name), join(folder, name));
  }
  await leaveRemoteCodeOut(join(folder, 'tokenizer_config.json'));
  if (present.has('tokenizer.json') || !(present.has('vocab.txt') || present.has('vocab.json'))) return;
  // Other programs read tokenizer.json alone. Where it cannot be made, the files that were copied say as much as before.
  const made = await tokenizerJson(diskFolder(tokenizer)).catch(() => undefined);
  if (made) await replaceFile(join(folder, 'tokenizer.json'), `${JSON.stringify(made, null, 2)}\n`);
}

/** Writes a configuration anew only where it names code. */
async function leaveRemoteCodeOut(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => '');
  if (!text.includes('"auto_map"')) return;
  const config = JSON.parse(text) as Record<string, unknown>;
  await replaceFile(file, `${JSON.stringify(withoutRemoteCode(config), null, 2)}\n`);
}

async function replaceFile(path: string, content: string | AsyncIterable<Uint8Array>): Promise<void> {
  const partial = `${path}.${process.pid}.partial`;
  try {
    await writeFile(partial, content);
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}
