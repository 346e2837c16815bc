import { bert, camembert, electra, roberta, xlmRoberta } from './families/bert.js';
import { deberta, debertaV2 } from './families/deberta/deberta.js';
import type { Family } from './families/family.js';
import { xlnet } from './families/xlnet/xlnet.js';

/** An architecture by the name that `model_type` has in a config.json. */
export type ModelType =
  'bert' | 'camembert' | 'deberta' | 'deberta-v2' | 'electra' | 'roberta' | 'xlm-roberta' | 'xlnet';

/** The architectures, by `model_type`. */
export const FAMILIES: Readonly<Record<ModelType, Family>> = {
  bert,
  camembert,
  deberta,
  'deberta-v2': debertaV2,
  electra,
  roberta,
  'xlm-roberta': xlmRoberta,
  xlnet,
};
