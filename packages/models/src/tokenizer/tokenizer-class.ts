import { SPIECE_CLASSES } from './sentencepiece-classes.js';
import { type ClassParts, type TokenizerClass, pieces, template } from './class-parts.js';
import type { Component } from './tokenizer-file.js';
import type { TokenizerParts } from './tokenizer-parts.js';

const BERT_TOKENS: Component = {
  unk_token: '[UNK]',
  sep_token: '[SEP]',
  pad_token: '[PAD]',
  cls_token: '[CLS]',
  mask_token: '[MASK]',
};
const ROBERTA_TOKENS: Component = {
  bos_token: '<s>',
  eos_token: '</s>',
  unk_token: '<unk>',
  sep_token: '</s>',
  pad_token: '<pad>',
  cls_token: '<s>',
  mask_token: '<mask>',
};

/** Lower case, accents and ideographs as tokenizer_config.json says, whatever tokenizer.json does. */
function wordPieces(parts: ClassParts): Component {
  return {
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: parts.flag('tokenize_chinese_chars', true),
      strip_accents: parts.config.strip_accents ?? null,
      lowercase: parts.flag('do_lower_case', true),
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: parts.token('unk_token'),
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab: parts.vocabulary(),
    },
  };
}

function byteLevel(parts: ClassParts): Component {
  const prefix = parts.flag('add_prefix_space', false);
  return {
    normalizer: null,
    pre_tokenizer: { type: 'ByteLevel', add_prefix_space: prefix, trim_offsets: true, use_regex: true },
    decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
    model: {
      type: 'BPE',
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: '',
      end_of_word_suffix: '',
      fuse_unk: false,
      byte_fallback: false,
      ignore_merges: false,
      vocab: parts.vocabulary(),
      merges: parts.merges(),
    },
  };
}

const robertaProcessing = (parts: ClassParts, prefix: boolean): Component => ({
  type: 'RobertaProcessing',
  sep: [parts.token('sep_token'), parts.id('sep_token')],
  cls: [parts.token('cls_token'), parts.id('cls_token')],
  trim_offsets: true,
  add_prefix_space: prefix,
});

const bert: TokenizerClass = {
  defaults: BERT_TOKENS,
  needs: ['unk_token', 'cls_token', 'sep_token'],
  tokenTypes: true,
  build: wordPieces,
  post: (parts) =>
    template(parts, pieces('cls_token $A sep_token'), pieces('cls_token $A sep_token $B:1 sep_token:1')),
};

const roberta: TokenizerClass = {
  defaults: ROBERTA_TOKENS,
  needs: ['cls_token', 'sep_token'],
  build: byteLevel,
  post: (parts) => robertaProcessing(parts, parts.flag('add_prefix_space', false)),
};

const deberta: TokenizerClass = {
  defaults: { ...BERT_TOKENS, bos_token: '[CLS]', eos_token: '[SEP]' },
  needs: ['cls_token', 'sep_token'],
  tokenTypes: true,
  build: byteLevel,
  post: (parts) =>
    template(
      parts,
      pieces('cls_token $A sep_token'),
      pieces('cls_token $A sep_token sep_token $B sep_token'),
    ),
};

// Tokens that a text may spell in another case, as they are looked for in the normalized text.
const loose = (content: string): Component => ({ content, normalized: true, special: false });

const mpnet: TokenizerClass = {
  defaults: {
    bos_token: loose('<s>'),
    eos_token: loose('</s>'),
    unk_token: loose('[UNK]'),
    sep_token: loose('</s>'),
    pad_token: loose('<pad>'),
    cls_token: loose('<s>'),
    mask_token: { ...loose('<mask>'), lstrip: true },
  },
  needs: ['unk_token', 'cls_token', 'sep_token'],
  build: wordPieces,
  post: (parts) => robertaProcessing(parts, false),
};

/** The classes of `transformers` that build a tokenizer of their own from a folder's vocabulary and options. */
export const TOKENIZER_CLASSES: ReadonlyMap<string, TokenizerClass> = new Map(
  Object.entries({
    BertTokenizer: bert,
    ConvBertTokenizer: bert,
    DPRContextEncoderTokenizer: bert,
    DPRQuestionEncoderTokenizer: bert,
    DPRReaderTokenizer: bert,
    DebertaTokenizer: deberta,
    DistilBertTokenizer: { ...bert, tokenTypes: false },
    ElectraTokenizer: bert,
    LayoutLMTokenizer: bert,
    LxmertTokenizer: bert,
    MPNetTokenizer: mpnet,
    MobileBertTokenizer: bert,
    RobertaTokenizer: roberta,
    SqueezeBertTokenizer: bert,
    ...SPIECE_CLASSES,
  }),
);

/** The class of a model whose folder names none. */
const CLASS_OF_MODEL: ReadonlyMap<string, string> = new Map(
  Object.entries({
    albert: 'AlbertTokenizer',
    bert: 'BertTokenizer',
    camembert: 'CamembertTokenizer',
    convbert: 'BertTokenizer',
    deberta: 'DebertaTokenizer',
    'deberta-v2': 'DebertaV2Tokenizer',
    distilbert: 'BertTokenizer',
    electra: 'BertTokenizer',
    mobilebert: 'BertTokenizer',
    mpnet: 'MPNetTokenizer',
    roberta: 'RobertaTokenizer',
    'xlm-roberta': 'XLMRobertaTokenizer',
    xlnet: 'XLNetTokenizer',
  }),
);
// Their folders name classes that they are not of: tokenizer.json alone counts.
const MODELS_BY_FILE = ['modernbert', 'modernbert-decoder'];

/**
 * The name of the class by which transformers 5 builds a folder's tokenizer; undefined where it takes tokenizer.json as
 * it is. tokenizer_config.json names it, then config.json, then the model's type; without any, the files there are.
 */
export function tokenizerClassName(parts: TokenizerParts): string | undefined {
  const { modelType, config, file } = parts;
  if (modelType !== undefined && MODELS_BY_FILE.includes(modelType) && file) return undefined;
  const named = config.tokenizer_class ?? parts.modelTokenizerClass;
  if (typeof named === 'string') return named.replace(/Fast$/, '');
  const ofModel = CLASS_OF_MODEL.get(modelType ?? '');
  if (ofModel !== undefined || file) return ofModel;
  if (parts.merges) return 'RobertaTokenizer';
  return parts.vocabulary ? 'BertTokenizer' : undefined;
}
