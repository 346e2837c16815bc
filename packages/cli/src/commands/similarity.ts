import { HypetuneError } from '@hypetune/core';
import { mean, quantile } from '@hypetune/statistics';
import type { EngineName } from '@hypetune/engine';
import type { Command } from 'commander';
import { checkOutputFile, writeWhole } from '../atomic.js';
import { analysedSettings, openAnalysed, ROWS } from '../analysis/analysed-model.js';
import { rowSimilarities } from '../analysis/layer-similarity.js';
import { showDownloads } from '../download.js';
import { startEngine } from '../engine.js';
import { type LayerCurve, layerRows, layersPage } from '../report/html/layers-page.js';
import { table } from '../report/table.js';
import { openTask } from '../tasks/open-task.js';
import { print, type Terminal } from '../terminal.js';
import { jsonFlag, settingFlag, settingsOf } from './flags.js';

interface SimilarityFlags {
  readonly specialTokens?: true;
  readonly json?: true;
  readonly out?: string;
  readonly engine?: EngineName;
}

/** What one layer of a model gives over all rows. */
interface LayerSimilarity {
  readonly layer: number;
  readonly similarity: number;
  readonly low: number;
  readonly high: number;
}

export function addSimilarity(program: Command, terminal: Terminal): void {
  const command = program
    .command('similarity')
    .description('how like each other the tokens of a sentence are, layer by layer, of one model or several')
    .argument('<models...>', 'runs, folders of models or sources')
    .option('--special-tokens', 'count the tokens around texts too, as [CLS] and [SEP]')
    .option('--out <file>', 'write an HTML page with the picture')
    .addOption(jsonFlag());
  for (const name of [...ROWS, 'engine'] as const) command.addOption(settingFlag(name));
  command.action(async (models: string[], flags: SimilarityFlags) => {
    const settings = settingsOf(command, ['specialTokens', 'out', 'json']);
    if (flags.out !== undefined) await checkOutputFile(flags.out);
    const asked = await analysedSettings(models, settings);
    await startEngine(terminal, flags.engine);
    const { name, evaluation: rows } = await openTask(asked, showDownloads(terminal));
    const found: { model: string; layers: LayerSimilarity[] }[] = [];
    for (const each of models) {
      const model = await openAnalysed(each, settings, terminal);
      try {
        const values = await rowSimilarities((visit) => model.states(rows, visit), flags);
        if (values.length === 0)
          throw new HypetuneError(`${name}: no row has two tokens, so nothing can be compared.`);
        found.push({ model: each, layers: values.map(spreadOf) });
      } finally {
        model.dispose();
      }
    }
    const curves: LayerCurve[] = found.map(({ model, layers }) => ({
      model,
      layers: layers.map(({ similarity: value, low, high }) => ({ value, low, high })),
    }));
    if (flags.out !== undefined)
      await writeWhole(
        flags.out,
        layersPage({
          title: `Token similarity on ${name}`,
          figure: 'cosine similarity of tokens',
          explanation:
            `Cosine similarity of the tokens of a row, the mean over all pairs of them, then over ${rows.length} rows; band: from the tenth to the ninetieth of a hundred rows. ` +
            `Padding does not count, the tokens around texts ([CLS], [SEP]) ${flags.specialTokens ? 'count' : 'neither'}.`,
          curves,
        }),
      );
    if (flags.json)
      print(terminal, JSON.stringify(Object.fromEntries(found.map((of) => [of.model, of.layers])), null, 2));
    else print(terminal, table(['layer', ...models], layerRows(curves)));
  });
}

const spreadOf = (values: readonly number[], layer: number): LayerSimilarity => ({
  ...{ layer, similarity: mean(values) },
  ...{ low: quantile(values, 0.1), high: quantile(values, 0.9) },
});
