import { FIXTURES } from '../parity/families.js';

/** A model that methods are certified on: its folder, and the rates of its dropouts by their names in the configuration. */
export interface CertifiedFamily {
  readonly name: string;
  readonly folder: string;
  readonly dropouts: Readonly<Record<string, number>>;
}

const BERT = ['hidden_dropout_prob', 'attention_probs_dropout_prob'];
const DROPOUTS: Readonly<Record<string, readonly string[]>> = {
  bert: BERT,
  electra: BERT,
  roberta: BERT,
  'xlm-roberta': BERT,
  camembert: BERT,
  distilbert: ['dropout', 'attention_dropout', 'seq_classif_dropout'],
  mpnet: BERT,
  albert: [...BERT, 'classifier_dropout_prob'],
  modernbert: ['embedding_dropout', 'attention_dropout', 'mlp_dropout', 'classifier_dropout'],
  eurobert: ['attention_dropout'],
  deberta: [...BERT, 'pooler_dropout'],
  'deberta-v3': [...BERT, 'pooler_dropout'],
  xlnet: ['dropout', 'summary_last_dropout'],
};

/** One configuration of each family, every dropout at 0.1. */
export const CERTIFIED_FAMILIES: readonly CertifiedFamily[] = Object.entries(DROPOUTS).map(
  ([name, rates]) => ({
    name,
    folder: FIXTURES.get(name)!,
    dropouts: Object.fromEntries(rates.map((rate) => [rate, 0.1])),
  }),
);

/** The one whose certificate is stored for the test that needs no Python. */
export const STORED_FAMILY: CertifiedFamily = CERTIFIED_FAMILIES.find(({ name }) => name === 'xlm-roberta')!;
