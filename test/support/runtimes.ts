/** What an exported folder says of texts in the programs that it is for. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { loadTokenizer, type Texts } from '@hypetune/models';
import * as ort from 'onnxruntime-web';
import { chromium } from 'playwright-core';
import { CHROMIUM } from './chromium.js';
import { serveFiles } from './file-server.js';
import { installedPackage } from './installed-package.js';

/** What a program gave: the logits of each text, and the milliseconds of processor time (in a browser: of the clock) it took. */
export interface Given {
  readonly logits: readonly (readonly number[])[];
  readonly milliseconds: number;
}

export type Dtype = 'fp32' | 'q8';

/** Runs a folder's graph on texts, in batches of 16. */
export type Runtime = (folder: string, dtype: Dtype, rows: readonly Texts[]) => Promise<Given>;

const BATCH = 16;
const GRAPHS = { fp32: 'model.onnx', q8: 'model_quantized.onnx' };

/** `onnxruntime` and the tokenizer of `transformers`, by a Python that has both. */
export const inPython =
  (python: string): Runtime =>
  (folder, dtype, rows) => {
    const program = `
import json, sys, time
import numpy as np, onnxruntime
from transformers import AutoTokenizer
folder, graph, rows = sys.argv[1], sys.argv[2], json.load(open(sys.argv[3]))
options = onnxruntime.SessionOptions()
options.intra_op_num_threads, options.log_severity_level = 1, 3
session = onnxruntime.InferenceSession(f"{folder}/onnx/{graph}", options, providers=["CPUExecutionProvider"])
tokenizer, names, logits, start = AutoTokenizer.from_pretrained(folder), [i.name for i in session.get_inputs()], [], 0
start = time.process_time()
for at in range(0, len(rows), ${BATCH}):
    batch = [[r] if isinstance(r, str) else r for r in rows[at : at + ${BATCH}]]
    pairs = [r[1] for r in batch] if len(batch[0]) > 1 else None
    inputs = tokenizer([r[0] for r in batch], pairs, padding=True, truncation=True, return_tensors="np")
    feeds = {n: (inputs[n] if n in inputs else np.zeros_like(inputs["input_ids"])).astype(np.int64) for n in names}
    logits += session.run(None, feeds)[0].tolist()
json.dump({"logits": logits, "milliseconds": 1000 * (time.process_time() - start)}, open(sys.argv[4], "w"))
`;
    return Promise.resolve(
      throughFiles(rows, (input, output) => {
        const given = ['-c', program, folder, GRAPHS[dtype], input, output];
        execFileSync(python, given, { stdio: ['ignore', 'ignore', 'pipe'] });
      }),
    );
  };

/** `onnxruntime-web` and our tokenizer, in this process. */
export const onWeb: Runtime = async (folder, dtype, rows) => {
  ort.env.wasm.numThreads = 1;
  const session = await ort.InferenceSession.create(readFileSync(join(folder, 'onnx', GRAPHS[dtype])), {
    logSeverityLevel: 3,
  });
  const tokenizer = await loadTokenizer(folder);
  const before = process.cpuUsage();
  const logits: number[][] = [];
  for (let at = 0; at < rows.length; at += BATCH) {
    const encoded = tokenizer.encode(rows.slice(at, at + BATCH));
    const length = Math.max(...encoded.map(({ inputIds }) => inputIds.length));
    const tensor = (values: (row: number) => readonly number[], filler: number): ort.Tensor => {
      const flat = encoded.flatMap((_, row) => Array.from({ length }, (_, i) => values(row)[i] ?? filler));
      return new ort.Tensor('int64', BigInt64Array.from(flat, BigInt), [encoded.length, length]);
    };
    const feeds: Record<string, ort.Tensor> = {
      input_ids: tensor((row) => encoded[row]!.inputIds, tokenizer.padId),
      attention_mask: tensor((row) => encoded[row]!.inputIds.map(() => 1), 0),
      token_type_ids: tensor((row) => encoded[row]!.tokenTypeIds, 0),
    };
    const named = Object.fromEntries(session.inputNames.map((name) => [name, feeds[name]!]));
    const { dims, data } = (await session.run(named)).logits!;
    for (let row = 0; row < encoded.length; row++)
      logits.push(Array.from((data as Float32Array).slice(row * dims[1]!, (row + 1) * dims[1]!)));
  }
  const { user, system } = process.cpuUsage(before);
  await session.release();
  return { logits, milliseconds: (user + system) / 1000 };
};

/** What transformers.js runs, in Node.js and in a browser; `clock` gives milliseconds. */
const PROGRAM = `
  const options = { dtype, quantized: dtype === 'q8', device };
  const tokenizer = await AutoTokenizer.from_pretrained(name);
  const model = await AutoModelForSequenceClassification.from_pretrained(name, options);
  const logits = [];
  const start = clock();
  for (let at = 0; at < rows.length; at += ${BATCH}) {
    const batch = rows.slice(at, at + ${BATCH}).map((row) => [row].flat());
    const text_pair = batch[0].length > 1 ? batch.map(([, pair]) => pair) : undefined;
    const inputs = tokenizer(batch.map(([text]) => text), { text_pair, padding: true, truncation: true });
    logits.push(...(await model(inputs)).logits.tolist());
  }
  const given = { logits, milliseconds: clock() - start };
`;

/** Versions of transformers.js, and where in each Node.js begins. */
export const TRANSFORMERS_JS = [
  ['@xenova/transformers', '2.17.2', 'src/transformers.js'],
  ['@huggingface/transformers', '3.8.1', 'dist/transformers.node.mjs'],
  ['@huggingface/transformers', '4.3.2', 'dist/transformers.node.mjs'],
] as const;

/** A version of transformers.js in Node.js. */
export const inNode =
  ([library, version, entry]: (typeof TRANSFORMERS_JS)[number]): Runtime =>
  (folder, dtype, rows) => {
    const program = `
      import { readFileSync, writeFileSync } from 'node:fs';
      import { AutoModelForSequenceClassification, AutoTokenizer, env } from ${JSON.stringify(join(installedPackage(library, version), entry))};
      const [input, output] = process.argv.slice(2);
      env.allowRemoteModels = false;
      env.localModelPath = ${JSON.stringify(`${dirname(folder)}/`)};
      const [name, dtype, device] = [${JSON.stringify(basename(folder))}, '${dtype}', undefined];
      const rows = JSON.parse(readFileSync(input, 'utf8'));
      const clock = () => { const { user, system } = process.cpuUsage(); return (user + system) / 1000; };
      ${PROGRAM}
      writeFileSync(output, JSON.stringify(given));`;
    return Promise.resolve(
      throughFiles(rows, (input, output, home) => {
        const script = join(home, 'program.mjs');
        writeFileSync(script, program);
        execFileSync(process.execPath, [script, input, output], { stdio: ['ignore', 'ignore', 'pipe'] });
      }),
    );
  };

/** A version of transformers.js in Chromium, on one thread. */
export const inChromium =
  ([library, version]: (typeof TRANSFORMERS_JS)[number]): Runtime =>
  async (folder, dtype, rows) => {
    const installed = installedPackage(library, version);
    const folders = {
      lib: join(installed, 'dist'),
      ort: join(installed, '../../onnxruntime-web/dist'),
      models: dirname(folder),
    };
    const page = `<!doctype html><script type="module">
      import { AutoModelForSequenceClassification, AutoTokenizer, env } from '/lib/transformers.js';
      Object.assign(env, { allowLocalModels: true, allowRemoteModels: false, useBrowserCache: false, localModelPath: '/models/' });
      Object.assign(env.backends.onnx.wasm, { wasmPaths: '/ort/', numThreads: 1 });
      const clock = () => performance.now();
      window.run = async (name, dtype, rows) => {
        const device = 'wasm';
        ${PROGRAM}
        return given;
      };
    </script>`;
    const server = await serveFiles(folders, { '/': page });
    const browser = await chromium.launch({ executablePath: CHROMIUM!, args: ['--no-sandbox'] });
    try {
      const tab = await browser.newPage();
      await tab.goto(server.origin);
      await tab.waitForFunction('window.run !== undefined');
      const given = [basename(folder), dtype, rows].map((value) => JSON.stringify(value)).join();
      return (await tab.evaluate(`run(${given})`)) as Given;
    } finally {
      await browser.close();
      server.close();
    }
  };

/** Rows to a program, and what it gave back, through files. */
function throughFiles(
  rows: readonly Texts[],
  run: (input: string, output: string, home: string) => void,
): Given {
  const home = mkdtempSync(join(tmpdir(), 'runtime-'));
  try {
    const [input, output] = [join(home, 'rows.json'), join(home, 'given.json')];
    writeFileSync(input, JSON.stringify(rows));
    run(input, output, home);
    return JSON.parse(readFileSync(output, 'utf8')) as Given;
  } finally {
    rmSync(home, { recursive: true });
  }
}
