// Child process of bench-predict.ts: a classifier in float32 or bfloat16. Reads "passes" lines, answers each with a JSON line.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { Trainer, type Precision } from '@hypetune/core';
import { chooseEngine } from '@hypetune/engine';
import { loadModel } from '@hypetune/models';
import { textOptions } from '../packages/cli/src/setup.js';
import { textData } from '../packages/cli/src/tasks/text-data.js';

const [precision, folder, texts, batch] = process.argv.slice(2) as [Precision, string, string, string];
const rows = (JSON.parse(readFileSync(texts, 'utf8')) as string[]).map((text) => ({ text }));
await chooseEngine({ force: 'native' });
const { model } = await loadModel(folder);
const options = await textOptions(folder, 128);
const trainer = new Trainer({
  model,
  precision,
  compile: true,
  evaluationBatchSize: Number(batch),
  lengths: Array.from({ length: 32 }, (_, i) => 4 * (i + 1)),
});
const predict = (some: typeof rows): Promise<Float32Array[]> => trainer.predict(textData(some, options));

await predict(rows.slice(0, 1));
console.log('ready');
for await (const line of createInterface({ input: process.stdin })) {
  const [ms, cpu]: [number[], number[]] = [[], []];
  let logits: Float32Array[] = [];
  for (let pass = 0; pass < Number(line); pass++) {
    const start = performance.now();
    const before = process.cpuUsage();
    logits = await predict(rows);
    const { user, system } = process.cpuUsage(before);
    ms.push(performance.now() - start);
    cpu.push((user + system) / 1000);
  }
  const values = logits.flatMap((row) => [...row]);
  const loss = values.reduce((sum, value) => sum + Math.abs(value), 0) / values.length;
  const peak = process.resourceUsage().maxRSS / 1024;
  console.log(JSON.stringify({ ms, cpu, script: [], loss, peak }));
}
