import { albert } from './families/albert.js';
import { bert, camembert, electra, roberta, xlmRoberta } from './families/bert.js';
import { deberta, debertaV2 } from './families/deberta/deberta.js';
import { distilbert } from './families/distilbert.js';
import { eurobert } from './families/eurobert/eurobert.js';
import type { Family } from './families/family.js';
import { modernbert } from './families/modernbert/modernbert.js';
import { mpnet } from './families/mpnet.js';
import { xlnet } from './families/xlnet/xlnet.js';

/** An architecture by the name that `model_type` has in a config.json. */
export type ModelType =
  | 'albert'
  | 'bert'
  | 'camembert'
  | 'deberta'
  | 'deberta-v2'
  | 'distilbert'
  | 'electra'
  | 'eurobert'
  | 'modernbert'
  | 'mpnet'
  | 'roberta'
  | 'xlm-roberta'
  | 'xlnet';

/** The architectures, by `model_type`. */
export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  albert,
  bert,
  camembert,
  deberta,
  'deberta-v2': debertaV2,
  distilbert,
  electra,
  eurobert,
  modernbert,
  mpnet,
  roberta,
  'xlm-roberta': xlmRoberta,
  xlnet,
};
