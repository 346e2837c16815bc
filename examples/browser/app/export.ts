import { type ModelFolder, modelFiles, tokenizerConfig, tokenizerJson } from '@hypetune/models/browser';
import { modelBytes, modelGraph, PRECISION_FILES } from '@hypetune/onnx/browser';
import type { LayersModel } from '@tensorflow/tfjs-layers';
import { Zip, ZipPassThrough } from 'fflate';
import type { Files } from './messages.js';

const json = (value: unknown): Blob => new Blob([JSON.stringify(value, null, 2)]);

/** The tuned model's own files, with the tokenizer's: what can be opened again, here or by `transformers`. */
export async function tunedFiles(model: LayersModel, source: ModelFolder, maxLength: number): Promise<Files> {
  const { 'config.json': config, 'model.safetensors': weights } = modelFiles(model);
  const chunks: BlobPart[] = [];
  for await (const chunk of weights) chunks.push(chunk as Uint8Array<ArrayBuffer>);
  return {
    'config.json': new Blob([config]),
    'tokenizer.json': json(await tokenizerJson(source)),
    'tokenizer_config.json': json({ ...(await tokenizerConfig(source)), model_max_length: maxLength }),
    'model.safetensors': new Blob(chunks),
  };
}

/** The folder that transformers.js, `transformers` and ONNX Runtime take, as a zip. */
export async function zipped(model: LayersModel, files: Files): Promise<Blob> {
  const chunks: BlobPart[] = [];
  const zip = new Zip((error, chunk) => {
    if (error) throw error;
    chunks.push(chunk as Uint8Array<ArrayBuffer>);
  });
  const add = (name: string, bytes: Uint8Array): void => {
    const entry = new ZipPassThrough(`classifier/${name}`);
    zip.add(entry);
    entry.push(bytes, true);
  };
  for (const [name, blob] of Object.entries(files)) add(name, new Uint8Array(await blob.arrayBuffer()));
  for (const precision of ['fp32', 'q8'] as const)
    add(`onnx/${PRECISION_FILES[precision]}`, modelBytes(modelGraph(model, precision)));
  zip.end();
  return new Blob(chunks, { type: 'application/zip' });
}
