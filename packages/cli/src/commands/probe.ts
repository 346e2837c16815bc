import { HypetuneError, measure, resolveMetrics } from '@hypetune/core';
import type { EngineName } from '@hypetune/engine';
import { type Command, Option } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import { analysedSettings, type AnalysedModel, openAnalysed, ROWS } from '../analysis/analysed-model.js';
import type { RowState } from '../analysis/hidden-states.js';
import { type Features, fitProbe } from '../analysis/linear-probe.js';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { metricName } from '../methods.js';
import { type LayerCurve, layerRows, layersPage } from '../report/html/layers-page.js';
import { table } from '../report/table.js';
import { noteTask } from '../report/figures.js';
import { openTask } from '../tasks/open-task.js';
import type { Row, TextTask } from '../tasks/task.js';
import { print, type Terminal } from '../terminal.js';
import { jsonFlag, settingFlag, settingsOf } from './flags.js';

/** How the vectors of a row become one: the mean of its tokens, or that of the first token. */
const POOLINGS = ['mean', 'first'] as const;
type Pooling = (typeof POOLINGS)[number];

interface ProbeFlags {
  readonly pooling: Pooling;
  readonly specialTokens?: true;
  readonly json?: true;
  readonly out?: string;
  readonly engine?: EngineName;
}

/** What a probe of one layer gives. */
interface LayerProbe {
  readonly layer: number;
  /** Of the rows measured on. */
  readonly metrics: Readonly<Record<string, number>>;
  /** The share of the rows learned from that it gets right. */
  readonly trainAccuracy: number;
}

export function addProbe(program: Command, terminal: Terminal): void {
  const command = program
    .command('probe')
    .description('how well a linear classifier does on the frozen layers of one model or several')
    .argument('<models...>', 'runs, folders of models or sources')
    .addOption(
      new Option('--pooling <form>', 'what a row is: the mean of its tokens, or its first token ([CLS])')
        .choices([...POOLINGS])
        .default('mean' satisfies Pooling),
    )
    .option('--special-tokens', 'count the tokens around texts in the mean too, as [CLS] and [SEP]')
    .option('--out <file>', 'write an HTML page with the picture')
    .addOption(jsonFlag());
  for (const name of [...ROWS, 'metrics', 'engine'] as const) command.addOption(settingFlag(name));
  command.action(async (models: string[], flags: ProbeFlags) => {
    const settings = settingsOf(command, ['pooling', 'specialTokens', 'out', 'json']);
    if (flags.out !== undefined) await checkOutputFile(flags.out);
    const asked = await analysedSettings(models, settings);
    await startEngine(terminal, flags.engine);
    const task = await openTask(asked, showDownloads(terminal));
    if (task.task.kind !== 'class')
      throw new HypetuneError(`hypetune probe: is for one class a row, not for ${task.task.name}.`);
    noteTask(terminal, task);
    const found: { model: string; layers: LayerProbe[] }[] = [];
    for (const name of models) {
      const model = await openAnalysed(name, settings, terminal);
      try {
        found.push({ model: name, layers: await probes(model, task, flags) });
      } finally {
        model.dispose();
      }
    }
    const metric = metricName(task.metrics[0]!);
    const curves: LayerCurve[] = found.map(({ model, layers }) => ({
      model,
      layers: layers.map(({ metrics }) => ({ value: metrics[metric]! })),
    }));
    if (flags.out !== undefined)
      await writeWhole(
        flags.out,
        layersPage({
          title: `Probes on ${task.name}`,
          figure: `${metric} of a linear probe`,
          explanation:
            `Multinomial logistic regression (|W|^2 / 2 added to the sum of cross-entropies) on the frozen states of each layer, standardised, ` +
            `${flags.pooling === 'mean' ? 'the mean over the tokens of a row' : 'of the first token of a row'}; learned from ${task.train.length} rows, ${metric} of ${task.evaluation.length} others.`,
          curves,
        }),
      );
    if (flags.json)
      print(terminal, JSON.stringify(Object.fromEntries(found.map((of) => [of.model, of.layers])), null, 2));
    else
      print(terminal, table(['layer', ...models.map((model) => `${metric} of ${model}`)], layerRows(curves)));
  });
}

async function probes(
  model: AnalysedModel,
  { task, train, evaluation, metrics }: TextTask,
  flags: ProbeFlags,
): Promise<LayerProbe[]> {
  const learned = await features(model, train, flags);
  const others = await features(model, evaluation, flags);
  const labelsOf = (rows: readonly Row[]): number[] => rows.map(({ label }) => label as number);
  const [labels, wanted] = [labelsOf(train), labelsOf(evaluation)];
  const classes = task.labels!.length;
  const context = { task, outputs: classes };
  const told = (scores: Float64Array, rows: number): ReturnType<typeof task.predict>[] =>
    Array.from({ length: rows }, (_, row) =>
      task.predict(Float32Array.from(scores.subarray(row * classes, (row + 1) * classes)), classes),
    );
  return learned.map((own, layer) => {
    const probe = fitProbe(own, labels, classes);
    const right = told(probe.scores(own), own.rows).filter(({ value }, row) => value === labels[row]);
    const said = told(probe.scores(others[layer]!), wanted.length);
    return {
      ...{ layer, metrics: measure(resolveMetrics(metrics), said, wanted, context) },
      trainAccuracy: right.length / own.rows,
    };
  });
}

/** A vector for each row, layer by layer. */
async function features(
  model: AnalysedModel,
  rows: readonly Row[],
  { pooling, specialTokens }: ProbeFlags,
): Promise<Features[]> {
  const layers: Features[] = [];
  await model.states(rows, (state) => {
    const { layer, row, width, tokens, all } = state;
    layers[layer] ??= { rows: rows.length, width, values: new Float64Array(rows.length * width) };
    const counted =
      pooling === 'first' ? all.slice(0, 1) : specialTokens || tokens.length === 0 ? all : tokens;
    layers[layer].values.set(meanVector(state, counted), row * width);
  });
  return layers;
}

function meanVector({ vectors, width }: RowState, tokens: readonly number[]): Float64Array {
  const sum = new Float64Array(width);
  for (const token of tokens)
    for (let place = 0; place < width; place += 1)
      sum[place]! += vectors[token * width + place]! / tokens.length;
  return sum;
}
