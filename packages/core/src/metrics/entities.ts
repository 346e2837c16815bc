import { IGNORED, type Label, type Prediction } from '../tasks/task.js';
import type { ClassCount } from './counts.js';

const OUTSIDE: ReadonlySet<string> = new Set(['O', '.']);

interface Tag {
  readonly mark: string;
  readonly type: string;
}

/** Whether a class name is one of IOB, IOE or IOBES: `O`, or `B`, `I`, `E` or `S` with a type, as `B-PER`. */
export function isEntityScheme(name: string): boolean {
  return /^(O|[BIES](-.*)?)$/.test(name);
}

/**
 * The entities in the tags of a sentence as `type start end`. A run of `I` is one entity also without a `B` before it, so that IOB1,
 * IOB2, IOE and IOBES are all read: what conlleval (Tjong Kim Sang, 2002) and, in its default mode, seqeval count.
 */
export function entitiesOf(tags: readonly string[]): string[] {
  const entities: string[] = [];
  let before: Tag = { mark: 'O', type: '' };
  let start = 0;
  for (const [place, text] of [...tags, 'O'].entries()) {
    const tag = tagOf(text);
    if (ends(before, tag)) entities.push(`${before.type} ${start} ${place - 1}`);
    if (starts(before, tag)) start = place;
    before = tag;
  }
  return entities;
}

/** Splits at the first hyphen behind the mark; a mark alone has the type `_`. */
function tagOf(text: string): Tag {
  const rest = text.slice(1);
  const hyphen = rest.indexOf('-');
  return { mark: text.slice(0, 1), type: (hyphen < 0 ? rest : rest.slice(hyphen + 1)) || '_' };
}

function ends(before: Tag, { mark, type }: Tag): boolean {
  if (before.mark === 'E' || before.mark === 'S') return true;
  if ((before.mark === 'B' || before.mark === 'I') && /^[BSO]$/.test(mark)) return true;
  return !OUTSIDE.has(before.mark) && before.type !== type;
}

function starts(before: Tag, { mark, type }: Tag): boolean {
  if (mark === 'B' || mark === 'S') return true;
  if ((mark === 'E' || mark === 'I') && /^[ESO]$/.test(before.mark)) return true;
  return !OUTSIDE.has(mark) && before.type !== type;
}

/** How often the entities of each type were found, predicted and there, types in alphabetical order. */
export function countEntities(
  predictions: readonly Prediction[],
  labels: readonly Label[],
  names: readonly string[],
): Map<string, ClassCount> {
  const counts = new Map<string, { right: number; predicted: number; present: number }>();
  const count = (entity: string): { right: number; predicted: number; present: number } => {
    const type = entity.replace(/ \d+ \d+$/, '');
    let known = counts.get(type);
    if (!known) counts.set(type, (known = { right: 0, predicted: 0, present: 0 }));
    return known;
  };
  labels.forEach((label, row) => {
    const classes = label as readonly number[];
    const value = predictions[row]!.value as readonly number[];
    const kept = classes.flatMap((index, token) => (index === IGNORED ? [] : [token]));
    const tags = (of: readonly number[]): string[] => kept.map((token) => names[of[token]!]!);
    const present = new Set(entitiesOf(tags(classes)));
    for (const entity of present) count(entity).present += 1;
    for (const entity of entitiesOf(tags(value))) {
      count(entity).predicted += 1;
      if (present.has(entity)) count(entity).right += 1;
    }
  });
  return new Map([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
