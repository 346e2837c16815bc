/** A BERT's tokenizer.json made from the lines of its vocab.txt, one token a line in the order of the ids. */
export function wordPieceTokenizer(
  lines: readonly string[],
  lowercase: boolean,
  file: string,
): Record<string, unknown> {
  const tokens = lines.at(-1) === '' ? lines.slice(0, -1) : lines;
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
  const special = (content: string): { id: number; content: string; special: boolean } => {
    const id = vocab[content];
    if (id === undefined) throw new Error(`${file}: the vocabulary lacks the token ${content}`);
    return { id, content, special: true };
  };
  const [cls, sep] = [special('[CLS]'), special('[SEP]')];
  const token = (content: string, segment: number): unknown => ({
    SpecialToken: { id: content, type_id: segment },
  });
  const sequence = (id: string, segment: number): unknown => ({ Sequence: { id, type_id: segment } });
  const single = [token('[CLS]', 0), sequence('A', 0), token('[SEP]', 0)];
  return {
    added_tokens: [
      special('[PAD]'),
      special('[UNK]'),
      cls,
      sep,
      ...('[MASK]' in vocab ? [special('[MASK]')] : []),
    ],
    normalizer: {
      type: 'BertNormalizer',
      clean_text: true,
      handle_chinese_chars: true,
      strip_accents: null,
      lowercase,
    },
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: {
      type: 'TemplateProcessing',
      single,
      pair: [...single, sequence('B', 1), token('[SEP]', 1)],
      special_tokens: Object.fromEntries(
        [cls, sep].map(({ id, content }) => [content, { id: content, ids: [id], tokens: [content] }]),
      ),
    },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: {
      type: 'WordPiece',
      unk_token: '[UNK]',
      continuing_subword_prefix: '##',
      max_input_chars_per_word: 100,
      vocab,
    },
  };
}
