import {
  classReport,
  type ClassReport,
  HypetuneError,
  measure,
  type Metric,
  type Prediction,
  resolveMetrics,
  singleLabel,
} from '@hypetune/core';
import { classLabels, labelName, type Labels } from './labels.js';
import type { Row } from './task.js';

/** Names of classes, and what they count as. */
export type LabelMap = ReadonlyMap<string, string>;

/** Reads `neutral=not_entailment`, several. */
export function labelMapOf(texts: readonly string[]): LabelMap {
  return new Map(
    texts.map((text) => {
      const [, from, to] = /^([^=]+)=([^=]+)$/.exec(text) ?? [];
      if (from === undefined || to === undefined)
        throw new HypetuneError(`--label-map: must be written name=name,name=name, got '${text}'.`);
      return [from.trim(), to.trim()] as const;
    }),
  );
}

/** The classes that a run's classes count as, each once, in its order. */
export function mergedNames(names: readonly string[], map: LabelMap): string[] {
  return [...new Set(names.map((name) => map.get(name) ?? name))];
}

/** The labels of a table whose names count as others. */
export function mappedLabels(names: readonly string[], map: LabelMap): Labels {
  const labels = classLabels(mergedNames(names, map));
  return {
    names: labels.names,
    read: ([cell], place) => {
      const name = labelName(cell, place);
      return labels.read([map.get(name) ?? name], place);
    },
  };
}

/** What is measured of predictions whose classes count as others: a class is as likely as all that count as it together. */
export function measureMerged(
  names: readonly string[],
  map: LabelMap,
  predictions: readonly Prediction[],
  rows: readonly Row[],
  metrics: readonly (string | Metric)[],
): { loss: number; metrics: Record<string, number>; report: ClassReport | undefined } {
  const merged = mergedNames(names, map);
  const task = singleLabel({ labels: merged });
  const context = { task, outputs: merged.length };
  const probabilities = predictions.map(({ scores }) => {
    const sums = new Float32Array(merged.length);
    for (const [place, name] of names.entries())
      sums[merged.indexOf(map.get(name) ?? name)]! += scores[place]!;
    return sums;
  });
  const said = probabilities.map((sums) => task.predict(sums.map(Math.log), merged.length));
  const labels = rows.map(({ label }) => label as number);
  const losses = labels.map((label, row) => -Math.log(probabilities[row]![label]!));
  return {
    loss: losses.reduce((sum, loss) => sum + loss, 0) / losses.length,
    metrics: measure(resolveMetrics(metrics), said, labels, context),
    report: classReport(said, labels, context),
  };
}
