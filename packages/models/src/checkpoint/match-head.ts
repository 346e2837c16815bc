import type { HeadKind } from '../families/family.js';

/** A head: what its outputs are called, and whether they are a row's or a token's. */
export interface HeadLabels {
  readonly kind: HeadKind;
  /** Names in the order of the outputs, or only their number. */
  readonly labels: readonly string[] | number;
}

/** What becomes of a checkpoint's head in a model that is to have other outputs. */
export interface HeadMatch {
  /** `reordered`: its outputs are put into the order of the model's names. */
  readonly head: 'kept' | 'reordered' | 'new';
  /** Which output of the checkpoint each of the model's is, where it is reordered. */
  readonly order?: readonly number[];
  /** Why it is not kept as it is, as a sentence for the user. */
  readonly note?: string;
}

/** Matches the outputs of a checkpoint with those a model is to have, by their names; a number fits any names. */
export function matchHead(stored: HeadLabels & { labels: readonly string[] }, wanted: HeadLabels): HeadMatch {
  const { labels } = wanted;
  if (stored.kind !== wanted.kind)
    return { head: 'new', note: `the head is new: the checkpoint's is for ${words[stored.kind]}` };
  const count = typeof labels === 'number' ? labels : labels.length;
  const differ = typeof labels !== 'number' && labels.some((label) => !stored.labels.includes(label));
  if (count !== stored.labels.length || differ)
    return {
      head: 'new',
      note: `the head is new: the checkpoint's outputs are ${shown(stored.labels)}, the model's ${
        typeof labels === 'number' ? `${labels} in number` : shown(labels)
      }`,
    };
  if (typeof labels === 'number' || labels.every((label, place) => label === stored.labels[place]))
    return { head: 'kept' };
  return {
    head: 'reordered',
    order: labels.map((label) => stored.labels.indexOf(label)),
    note: `the head's outputs are put into another order: ${shown(stored.labels)} become ${shown(labels)}`,
  };
}

const words: Readonly<Record<HeadKind, string>> = {
  SequenceClassification: 'whole texts',
  TokenClassification: 'tokens',
};

function shown(labels: readonly string[]): string {
  return labels.length > 8
    ? `${labels.slice(0, 8).join(', ')} and ${labels.length - 8} more`
    : labels.join(', ');
}
