import { dropoutsOf, FIXTURES } from '../parity/families.js';

/** A model that methods are certified on: its folder, and the rates of its dropouts by their names in the configuration. */
export interface CertifiedFamily {
  readonly name: string;
  readonly folder: string;
  readonly dropouts: Readonly<Record<string, number>>;
}

/** One configuration of each family, every dropout on. */
export const CERTIFIED_FAMILIES: readonly CertifiedFamily[] = [
  ...['bert', 'electra', 'roberta', 'xlm-roberta', 'camembert', 'distilbert', 'mpnet', 'albert'],
  ...['modernbert', 'eurobert', 'deberta', 'deberta-v3', 'xlnet'],
].map((name) => {
  const folder = FIXTURES.get(name)!;
  return { name, folder, dropouts: dropoutsOf(folder) };
});

/** The one whose certificate is stored for the test that needs no Python. */
export const STORED_FAMILY: CertifiedFamily = CERTIFIED_FAMILIES.find(({ name }) => name === 'xlm-roberta')!;
