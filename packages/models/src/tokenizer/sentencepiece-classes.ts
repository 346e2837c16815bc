import { type ClassParts, pieces, template, type TokenizerClass } from './class-parts.js';
import type { Component } from './tokenizer-file.js';

const SPACE = '\u2581';
const XLM_TOKENS: Component = {
  bos_token: '<s>',
  eos_token: '</s>',
  sep_token: '</s>',
  cls_token: '<s>',
  unk_token: '<unk>',
  pad_token: '<pad>',
  mask_token: '<mask>',
};

/** A Unigram model over words that begin with a marked space. */
function words(
  parts: ClassParts,
  normalizers: readonly Component[],
  unknown: number,
  always = parts.flag('add_prefix_space', true),
): Component {
  const metaspace = {
    type: 'Metaspace',
    replacement: SPACE,
    prepend_scheme: always ? 'always' : 'never',
    split: true,
  };
  return {
    normalizer: sequence(normalizers),
    pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] },
    decoder: metaspace,
    model: unigram(parts, unknown),
  };
}

const sequence = (normalizers: readonly Component[]): Component | null =>
  normalizers.length === 0 ? null : { type: 'Sequence', normalizers };

const unigram = (parts: ClassParts, unknown: number): Component => ({
  type: 'Unigram',
  unk_id: unknown,
  vocab: parts.scores(),
  byte_fallback: false,
});

const replace = (pattern: Component, content: string): Component => ({ type: 'Replace', pattern, content });
const quotes = ['``', "''"].map((marks) => replace({ String: marks }, '"'));
const withoutAccents: readonly Component[] = [{ type: 'NFKD' }, { type: 'StripAccents' }];
const lowercase: Component = { type: 'Lowercase' };

const xlmRoberta: TokenizerClass = {
  defaults: XLM_TOKENS,
  needs: ['bos_token', 'eos_token', 'unk_token'],
  build: (parts) => words(parts, parts.precompiled(), 3),
  post: (parts) =>
    template(
      parts,
      pieces('bos_token $A eos_token'),
      pieces('bos_token $A eos_token eos_token $B eos_token'),
    ),
};

const camembert: TokenizerClass = {
  ...xlmRoberta,
  defaults: {
    ...XLM_TOKENS,
    mask_token: { content: '<mask>', lstrip: true, special: true, normalized: false },
    additional_special_tokens: ['<s>NOTUSED', '</s>NOTUSED', '<unk>NOTUSED'],
  },
  build: (parts) => {
    const unknown = parts.scores().findIndex(([token]) => token === parts.token('unk_token'));
    return words(parts, parts.precompiled(), Math.max(0, unknown));
  },
};

const albert: TokenizerClass = {
  defaults: {
    ...XLM_TOKENS,
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    sep_token: '[SEP]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  needs: ['cls_token', 'sep_token'],
  build: (parts) =>
    words(
      parts,
      [
        ...quotes,
        ...(parts.flag('keep_accents', false) ? [] : withoutAccents),
        ...(parts.flag('do_lower_case', true) ? [lowercase] : []),
        ...parts.precompiled(),
      ],
      1,
    ),
  // Of all classes this one alone lets the file's own go first.
  post: (parts) =>
    parts.file?.post_processor ??
    template(parts, pieces('cls_token $A sep_token'), pieces('cls_token $A sep_token $B:1 sep_token:1')),
};

const xlnet: TokenizerClass = {
  defaults: {
    ...XLM_TOKENS,
    sep_token: '<sep>',
    cls_token: '<cls>',
    mask_token: { content: '<mask>', lstrip: true, normalized: true, special: false },
    additional_special_tokens: ['<eop>', '<eod>'],
  },
  needs: ['cls_token', 'sep_token'],
  paddingSide: 'left',
  build: (parts) => {
    const lower = parts.flag('do_lower_case', false) ? [lowercase] : [];
    const unknown = parts.config.unk_id ?? 0;
    return words(
      parts,
      [...quotes, ...withoutAccents, ...lower, ...parts.precompiled()],
      unknown as number,
      true,
    );
  },
  post: (parts) =>
    template(parts, pieces('$A sep_token cls_token:2'), pieces('$A sep_token $B:1 sep_token:1 cls_token:2')),
};

const debertaV2: TokenizerClass = {
  defaults: {
    bos_token: '[CLS]',
    eos_token: '[SEP]',
    unk_token: '[UNK]',
    sep_token: '[SEP]',
    pad_token: '[PAD]',
    cls_token: '[CLS]',
    mask_token: '[MASK]',
  },
  needs: ['cls_token', 'sep_token'],
  tokenTypes: true,
  build: (parts) => {
    const named = parts
      .scores()
      .findIndex(([token, score]) => token === parts.token('unk_token') && score === 0);
    const unknown = named < 0 ? (parts.config.unk_id ?? 1) : named;
    const scheme = parts.flag('add_prefix_space', true) ? 'always' : 'first';
    const metaspace = { type: 'Metaspace', replacement: SPACE, prepend_scheme: scheme, split: true };
    const punctuation = parts.flag('split_by_punct', false)
      ? [{ type: 'Punctuation', behavior: 'Isolated' }]
      : [];
    return {
      normalizer: sequence([
        ...(parts.flag('do_lower_case', false) ? [lowercase] : []),
        replace({ Regex: '\\s{2,}|[\\n\\r\\t]' }, ' '),
        { type: 'NFC' },
        { type: 'Strip', strip_left: false, strip_right: true },
      ]),
      pre_tokenizer: { type: 'Sequence', pretokenizers: [...punctuation, metaspace] },
      decoder: metaspace,
      model: unigram(parts, unknown as number),
    };
  },
  post: (parts) =>
    template(parts, pieces('cls_token $A sep_token'), pieces('cls_token $A sep_token $B:1 sep_token:1')),
};

/** The classes whose vocabulary SentencePiece made. */
export const SPIECE_CLASSES: Readonly<Record<string, TokenizerClass>> = {
  AlbertTokenizer: albert,
  CamembertTokenizer: camembert,
  DebertaV2Tokenizer: debertaV2,
  XLMRobertaTokenizer: xlmRoberta,
  XLNetTokenizer: xlnet,
};
