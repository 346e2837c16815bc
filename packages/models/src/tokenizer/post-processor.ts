import {
  build,
  type Component,
  isCount,
  isObject,
  isObjectList,
  isString,
  option,
  TokenizerFileError,
} from './tokenizer-file.js';

/** What a row is made of: one of the texts, or a special token; each with its token type. */
export type Part =
  { readonly sequence: 0 | 1; readonly type: number } | { readonly id: number; readonly type: number };

/** How one text, and how two, become a row. */
export interface Layout {
  readonly single: readonly Part[];
  readonly pair: readonly Part[];
}

const PLAIN: Layout = {
  single: [{ sequence: 0, type: 0 }],
  pair: [
    { sequence: 0, type: 0 },
    { sequence: 1, type: 1 },
  ],
};

/** The layout that a tokenizer.json's post_processor describes; without one the texts alone. */
export function layout(component: Component | null | undefined): Layout {
  if (!component) return PLAIN;
  return build('post_processor', POST_PROCESSORS, component);
}

const POST_PROCESSORS: Readonly<Record<string, (component: Component) => Layout>> = {
  BertProcessing: (component) => {
    const cls = { id: option(component, 'cls', isToken)[1], type: 0 };
    const sep = option(component, 'sep', isToken)[1];
    const single = [cls, { sequence: 0, type: 0 } as const, { id: sep, type: 0 }];
    return { single, pair: [...single, { sequence: 1, type: 1 }, { id: sep, type: 1 }] };
  },
  ByteLevel: () => PLAIN,
  RobertaProcessing: (component) => {
    const cls = { id: option(component, 'cls', isToken)[1], type: 0 };
    const sep = { id: option(component, 'sep', isToken)[1], type: 0 };
    const single = [cls, { sequence: 0, type: 0 } as const, sep];
    return { single, pair: [...single, sep, { sequence: 1, type: 0 }, sep] };
  },
  Sequence: (component) => {
    const adding = option(component, 'processors', isObjectList).filter(({ type }) => type !== 'ByteLevel');
    if (adding.length > 1)
      throw new TokenizerFileError('a post_processor Sequence of several that add tokens is not known');
    return layout(adding[0]);
  },
  TemplateProcessing: (component) => {
    const tokens = option(component, 'special_tokens', isObject);
    const parts = (name: string): Part[] =>
      option(component, name, isObjectList).flatMap((piece) => templatePart(piece, tokens));
    return { single: parts('single'), pair: parts('pair') };
  },
};

const isToken = (value: unknown): value is readonly [string, number] =>
  Array.isArray(value) && value.length === 2 && isString(value[0]) && isCount(value[1]);
const isCounts = (value: unknown): value is readonly number[] => Array.isArray(value) && value.every(isCount);

function templatePart(piece: Component, tokens: Component): Part[] {
  if (isObject(piece.Sequence)) {
    const sequence = option(piece.Sequence, 'id', isString) === 'A' ? 0 : 1;
    return [{ sequence, type: option(piece.Sequence, 'type_id', isCount) }];
  }
  const special = option(piece, 'SpecialToken', isObject);
  const type = option(special, 'type_id', isCount);
  const token = option(tokens, option(special, 'id', isString), isObject);
  return option(token, 'ids', isCounts).map((id) => ({ id, type }));
}
