import { expect, test } from 'vitest';
import { inferenceMap, labelMapOf, mappedLabels, measureMerged } from './label-map.js';

const names = ['entailment', 'neutral', 'contradiction'];
const map = labelMapOf(['neutral=not_entailment', 'contradiction = not_entailment']);

test('names of a table count as others', () => {
  const labels = mappedLabels(names, map);
  expect(labels.names).toEqual(['entailment', 'not_entailment']);
  expect(['entailment', 'not_entailment', 'neutral'].map((name) => labels.read([name], 'a:1'))).toEqual([
    0, 1, 1,
  ]);
  expect(() => labels.read(['maybe'], 'a:1')).toThrow(
    "a:1: the label must be one of 'entailment', 'not_entailment'",
  );
  // A run of two classes measured on a table of three.
  expect(mappedLabels(['entailment', 'not_entailment'], map).read(['contradiction'], 'a:1')).toBe(1);
  expect(() => labelMapOf(['neutral'])).toThrow(
    "--label-map: must be written name=name,name=name, got 'neutral'.",
  );
});

test('a class is as likely as all that count as it together', () => {
  const prediction = (...scores: number[]): never => ({ scores: Float32Array.from(scores) }) as never;
  const rows = [
    { text: 'a', label: 1 },
    { text: 'b', label: 0 },
  ];
  // 0.4 is the most likely of three classes, and less likely than the other two together.
  const said = [prediction(0.4, 0.3, 0.3), prediction(0.4, 0.3, 0.3)];
  const { loss, metrics, report } = measureMerged(names, map, said, rows, ['accuracy', 'f1']);
  expect(metrics.accuracy).toBe(0.5);
  expect(metrics.f1).toBeCloseTo(2 / 3, 6);
  expect(loss).toBeCloseTo(-(Math.log(0.6) + Math.log(0.4)) / 2, 6);
  expect(report!.confusion).toEqual([
    [0, 1],
    [0, 1],
  ]);
});

test('where entailment alone is told, all else counts as the other class', () => {
  const map = (run: readonly string[], task: readonly string[]): object =>
    Object.fromEntries(inferenceMap(run, task));
  const hans = ['entailment', 'non-entailment'];
  expect(map(names, names)).toEqual({});
  expect(map(names, hans)).toEqual({ neutral: 'non-entailment', contradiction: 'non-entailment' });
  expect(map(hans, names)).toEqual({ neutral: 'non-entailment', contradiction: 'non-entailment' });
  expect(map(names, ['entailment', 'neutral'])).toEqual({ contradiction: 'neutral' });
  expect(map(['not_entailment', 'entailment'], hans)).toEqual({ 'non-entailment': 'not_entailment' });
  expect(map(['no', 'yes'], hans)).toEqual({});
});
