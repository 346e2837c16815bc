import { albert } from './families/albert.js';
import { bert, camembert, electra, roberta, xlmRoberta } from './families/bert.js';
import { distilbert } from './families/distilbert.js';
import { eurobert } from './families/eurobert/eurobert.js';
import type { Family } from './families/family.js';
import { modernbert } from './families/modernbert/modernbert.js';
import { mpnet } from './families/mpnet.js';

/** An architecture by the name that `model_type` has in a config.json. */
export type ModelType =
  | 'albert'
  | 'bert'
  | 'camembert'
  | 'distilbert'
  | 'electra'
  | 'eurobert'
  | 'modernbert'
  | 'mpnet'
  | 'roberta'
  | 'xlm-roberta';

/** The architectures, by `model_type`. */
export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  albert,
  bert,
  camembert,
  distilbert,
  electra,
  eurobert,
  modernbert,
  mpnet,
  roberta,
  'xlm-roberta': xlmRoberta,
};
