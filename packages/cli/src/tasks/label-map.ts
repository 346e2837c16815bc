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

/** What every class but entailment is called. */
const NEGATIVE = ['neutral', 'contradiction', 'not_entailment', 'non-entailment'];

/**
 * How classes of inference count as each other between a run and a task: where one of them tells entailment from all else alone,
 * everything else counts as its other class, the run's if both do. Nothing where they have the same classes, or are of other kinds.
 */
export function inferenceMap(run: readonly string[], task: readonly string[]): LabelMap {
  const all = [...new Set([...run, ...task])];
  const isInference = [run, task].every(
    (names) =>
      names.includes('entailment') && names.every((name) => name === 'entailment' || NEGATIVE.includes(name)),
  );
  const coarse = [run, task].find((names) => names.length === 2);
  if (!isInference || coarse === undefined || String([...run].sort()) === String([...task].sort()))
    return new Map();
  const other = coarse.find((name) => name !== 'entailment')!;
  return new Map(
    all.filter((name) => name !== 'entailment' && name !== other).map((name) => [name, other] as const),
  );
}

/** Rows of a task with the labels that a run has for them. Throws where the run has no class for one. */
export function relabelled(
  rows: readonly Row[],
  task: { readonly name: string; readonly labels: readonly string[] },
  run: readonly string[],
  map: LabelMap,
): Row[] {
  const labels = mappedLabels(run, map);
  const known = task.labels.map((name) => labels.read([name], `task '${task.name}'`));
  return rows.map((row) => ({ ...row, label: known[row.label as number]! }));
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
