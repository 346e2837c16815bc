import { sequentialTest, type SequentialResult } from '@hypetune/statistics';
import type { Claim } from './config-file.js';
import { type Cell, type ComparisonPlan, greaterIsBetter } from './store/plan.js';

/** What the runs of one task say of a claim. */
export interface TaskAnswer extends SequentialResult {
  readonly task: string;
  readonly metric: string;
  /** Seeds left out, since one of their runs failed or its metric is no number. */
  readonly failed: readonly number[];
  /** Of the pairs that counted, those whose runs are exactly equal. */
  readonly equal: number;
}

/** What the runs that are there say of a claim. */
export interface ClaimAnswer {
  readonly answer: SequentialResult['answer'];
  readonly tasks: readonly TaskAnswer[];
}

/** A claim in words. */
export const claimText = ({ better, than, by }: Claim): string =>
  `${better} is better than ${than}${by === 0 ? '' : ` by at least ${by}`}`;

/**
 * Answers a claim by the runs so far, in the order of their seeds. Yes: every task says so, and no run failed. No: one of
 * the tasks says so, at `alpha` over their number. Either is wrong with a probability of at most `alpha`, however often it is asked.
 */
export function answerClaim(
  { better, than, by, alpha }: Claim,
  tasks: readonly { readonly name: string; readonly metric: string }[],
  plan: Pick<ComparisonPlan, 'tasks'>,
  cells: readonly Cell[],
): ClaimAnswer {
  const answers = tasks.map(({ name, metric }): TaskAnswer => {
    const of = (recipe: string): Cell[] =>
      cells.filter((cell) => cell.recipe === recipe && cell.task === name && cell.run !== undefined);
    const sign = greaterIsBetter(metric, plan) ? 1 : -1;
    const pairs = of(than)
      .flatMap((b) => of(better).flatMap((a) => (a.seed === b.seed ? [{ seed: a.seed, a, b }] : [])))
      .sort((one, other) => one.seed - other.seed);
    const compared = pairs.map(({ seed, a, b }) => ({
      seed,
      a: a.metrics?.[metric],
      b: b.metrics?.[metric],
    }));
    const differences = compared.flatMap(({ a, b }) =>
      a === undefined || b === undefined ? [] : [sign * (a - b)],
    );
    const yes = sequentialTest(differences, { atLeast: by, alpha });
    const no = sequentialTest(differences, { atLeast: by, alpha: alpha / tasks.length });
    const failed = compared.filter(({ a, b }) => a === undefined || b === undefined).map(({ seed }) => seed);
    const found = no.answer === 'no' ? no : yes.answer === 'no' ? { ...no, answer: 'not yet' as const } : yes;
    const equal = differences.slice(0, found.pairs).filter((difference) => difference === 0).length;
    return { ...found, task: name, metric, failed, equal };
  });
  const whole = answers.every(({ failed }) => failed.length === 0);
  if (answers.some(({ answer }) => answer === 'no')) return { answer: 'no', tasks: answers };
  if (whole && answers.every(({ answer }) => answer === 'yes')) return { answer: 'yes', tasks: answers };
  return { answer: 'not yet', tasks: answers };
}
