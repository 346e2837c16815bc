import { IGNORED, type Label, type LabelKind, type Prediction } from '../tasks/task.js';

/** How often a class (or label) was rightly predicted, predicted, and there. */
export interface ClassCount {
  readonly right: number;
  readonly predicted: number;
  readonly present: number;
}

/** The predicted class and the true one, of each row or of each token that counts. */
export function classPairs(
  predictions: readonly Prediction[],
  labels: readonly Label[],
): [predicted: number, label: number][] {
  const pairs: [number, number][] = [];
  labels.forEach((label, row) => {
    const { value } = predictions[row]!;
    if (typeof label === 'number') pairs.push([value as number, label]);
    else
      label.forEach((index, token) => {
        if (index !== IGNORED) pairs.push([(value as readonly number[])[token]!, index]);
      });
  });
  return pairs;
}

/** The counts of each of `outputs` classes or labels; a row's label is that of `kind`. */
export function countClasses(
  kind: LabelKind,
  predictions: readonly Prediction[],
  labels: readonly Label[],
  outputs: number,
): ClassCount[] {
  const counts = Array.from({ length: outputs }, () => ({ right: 0, predicted: 0, present: 0 }));
  const add = (predicted: boolean, present: boolean, index: number): void => {
    const count = counts[index]!;
    if (predicted) count.predicted += 1;
    if (present) count.present += 1;
    if (predicted && present) count.right += 1;
  };
  if (kind === 'indicators')
    labels.forEach((label, row) => {
      const present = list(label);
      list(predictions[row]!.value).forEach((yes, index) => {
        add(yes === 1, present[index]! >= 0.5, index);
      });
    });
  else
    for (const [predicted, label] of classPairs(predictions, labels))
      if (predicted === label) add(true, true, label);
      else {
        add(true, false, predicted);
        add(false, true, label);
      }
  return counts;
}

/** A label or value as a list of numbers. */
export function list(label: Label): readonly number[] {
  return typeof label === 'number' ? [label] : label;
}

/** Right ones among the predicted. */
export const precision = ({ right, predicted }: ClassCount): number => ratio(right, predicted);
/** Right ones among those there. */
export const recall = ({ right, present }: ClassCount): number => ratio(right, present);
/** `2 right / (predicted + present)`. */
export const f1 = ({ right, predicted, present }: ClassCount): number =>
  ratio(2 * right, predicted + present);

/** 0 where there is nothing to divide by. */
function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}

/** How the figures of the classes become one: of all counts together, their mean, or their mean weighted by presence. */
export type Average = 'micro' | 'macro' | 'weighted';

/** The average of a figure over classes; classes that are neither present nor predicted are left out of `macro` if `occurring`. */
export function average(
  kind: Average,
  measure: (count: ClassCount) => number,
  counts: readonly ClassCount[],
  occurring: boolean,
): number {
  const total = (of: (count: ClassCount) => number): number =>
    counts.reduce((sum, count) => sum + of(count), 0);
  if (kind === 'micro')
    return measure({
      right: total(({ right }) => right),
      predicted: total(({ predicted }) => predicted),
      present: total(({ present }) => present),
    });
  if (kind === 'weighted') {
    const present = total((count) => count.present);
    return ratio(
      total((count) => count.present * measure(count)),
      present,
    );
  }
  const counted = occurring ? counts.filter(({ predicted, present }) => predicted + present > 0) : counts;
  return ratio(
    counted.reduce((sum, count) => sum + measure(count), 0),
    counted.length,
  );
}
