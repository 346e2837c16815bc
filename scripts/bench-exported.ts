/**
 * Exported folders beside the trainer: size, accuracy, speed, and how far logits are apart.
 *
 *     npm run bench -- exported RUN... [--python PATH] [--transformers-js]
 *
 * Each RUN is a folder of `hypetune train`. It is exported, and 1,000 texts (those that the run was measured on first, then those
 * it learned from) go through the trainer and the folder's graphs in onnxruntime-web, in onnxruntime with a Python that has it and
 * transformers, and 200 of them in three versions of transformers.js in Node.js. Metrics are of the texts that the run was measured on.
 * Times are of the processor, because other work may run beside.
 */
import { mkdirSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { namedMetric, type Prediction } from '@hypetune/core';
import type { Texts } from '@hypetune/models';
import { startEngine } from '../packages/cli/src/engine.js';
import { openSaved, savedTask } from '../packages/cli/src/saved-model.js';
import { openTask } from '../packages/cli/src/tasks/open-task.js';
import { firstRows } from '../packages/cli/src/tasks/fixed-order.js';
import { main } from '../packages/cli/src/program.js';
import {
  type Given,
  inNode,
  inPython,
  onWeb,
  type Runtime,
  TRANSFORMERS_JS,
} from '../test/support/runtimes.js';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { python: { type: 'string' }, 'transformers-js': { type: 'boolean' } },
});
const [ROWS, OF_TRANSFORMERS_JS] = [1000, 200];
const terminal = { out: process.stderr, error: process.stderr };
const runtimes: readonly (readonly [name: string, run: Runtime, rows: number])[] = [
  ...(values.python ? [['onnxruntime', inPython(values.python), ROWS] as const] : []),
  ['onnxruntime-web', onWeb, ROWS],
  ...(values['transformers-js']
    ? TRANSFORMERS_JS.map((one) => [`${one[0]} ${one[1]}`, inNode(one), OF_TRANSFORMERS_JS] as const)
    : []),
];

for (const folder of positionals.map((path) => resolve(path))) {
  const saved = await savedTask(folder);
  const task = await openTask(saved.config, (work) => work({}));
  const evaluation = firstRows(task.evaluation, ROWS);
  const rows = [...evaluation, ...task.train].slice(0, ROWS);
  const texts = rows.map(({ text, pair }): Texts => (pair === undefined ? text : [text, pair]));
  const metrics = task.metrics.map((metric) => (typeof metric === 'string' ? namedMetric(metric) : metric));

  await startEngine(terminal, 'native');
  const trained = await openSaved(folder, saved);
  const data = await trained.data(rows, terminal);
  await trained.trainer.predict(data); // compiles
  const before = process.cpuUsage();
  const own = (await trained.trainer.predict(data)).map((logits) => Array.from(logits));
  const { user, system } = process.cpuUsage(before);
  const outputs = own[0]!.length;
  trained.dispose();

  const exported = resolve('.hypetune/bench/exported', basename(folder));
  mkdirSync(join(exported, '..'), { recursive: true });
  await main(['export', folder, '--out', exported, '--force'], terminal);

  const print = (name: string, size: string, { logits, milliseconds }: Given): void => {
    const measured = logits.slice(0, evaluation.length);
    const predictions = measured.map((row): Prediction => task.task.predict(Float32Array.from(row), outputs));
    const labels = evaluation.slice(0, measured.length).map(({ label }) => label);
    const figures = metrics.map(
      (metric) =>
        `${metric.name} ${metric.compute(predictions, labels, { task: task.task, outputs }).toFixed(4)}`,
    );
    const apart = Math.max(
      ...logits.flatMap((row, i) => row.map((value, j) => Math.abs(value - own[i]![j]!))),
    );
    const cells = [basename(folder), name, size, measured.length, figures.join(', ')];
    console.log(
      `| ${[...cells, apart.toExponential(0), (milliseconds / logits.length).toFixed(1)].join(' | ')} |`,
    );
  };
  const megabytes = (path: string): string => `${(statSync(path).size / 1e6).toFixed(1)} MB`;
  print('trainer', megabytes(join(folder, 'model.safetensors')), {
    logits: own,
    milliseconds: (user + system) / 1000,
  });
  for (const [dtype, graph] of [
    ['fp32', 'model.onnx'],
    ['q8', 'model_quantized.onnx'],
  ] as const)
    for (const [name, run, count] of runtimes)
      print(
        `${dtype}, ${name}`,
        megabytes(join(exported, 'onnx', graph)),
        await run(exported, dtype, texts.slice(0, count)),
      );
}
