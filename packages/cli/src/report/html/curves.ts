import { mean } from '@hypetune/statistics';
import { type CurveLine, numbersIn } from '../../store/record.js';
import type { Curve } from './charts.js';

/** Places that a curve is drawn at. */
const PLACES = 100;

/** The training loss of several runs, smoothed over windows of steps: the mean of the runs, and what they reach. */
export function lossCurve(name: string, series: number, runs: readonly (readonly CurveLine[])[]): Curve {
  const losses = runs.map((lines) => lines.flatMap((line) => (line.kind === 'step' ? [line] : [])));
  const last = Math.max(0, ...losses.map((lines) => lines.at(-1)?.step ?? 0));
  const width = Math.max(1, Math.ceil(last / PLACES));
  const points: Curve['points'][number][] = [];
  for (let from = 0; from < last; from += width) {
    const means = losses
      .map((lines) => lines.filter(({ step }) => step > from && step <= from + width).map(({ loss }) => loss))
      .filter((window) => window.length > 0)
      .map(mean);
    if (means.length > 0) points.push({ x: Math.min(from + width, last), ...spread(means) });
  }
  return { name, series, points };
}

/** A metric of the evaluations on the way; no points where there were none. */
export function metricCurve(
  name: string,
  series: number,
  runs: readonly (readonly CurveLine[])[],
  metric: string,
): Curve {
  const byStep = new Map<number, number[]>();
  for (const line of runs.flat())
    if (line.kind === 'evaluation') {
      const value = numbersIn(line.metrics)[metric];
      if (value !== undefined) byStep.set(line.step, [...(byStep.get(line.step) ?? []), value]);
    }
  const points = [...byStep].sort(([a], [b]) => a - b).map(([x, values]) => ({ x, ...spread(values) }));
  return { name, series, points };
}

function spread(values: readonly number[]): { y: number; low: number; high: number } {
  return { y: mean(values), low: Math.min(...values), high: Math.max(...values) };
}
