import { readFileSync } from 'node:fs';
import { differencesOf, FIXTURES } from '../../test/parity/families.js';
import { type Certificate, type Comparison, largest } from './certificate.js';
import { inWay, recorderHere, waysHere } from './ways.js';

/** Every configuration of every family against `transformers`, on every engine. */
export const families: Certificate = {
  name: 'families',
  summary:
    'Logits, loss and the gradient of every weight of each configuration, on every engine here, against stored results of PyTorch’s transformers 5.24.',
  compare: async () => {
    const found = new Map<string, Record<'logits' | 'loss' | 'gradients', number[]>>();
    for (const way of await waysHere())
      await inWay(way, async () => {
        for (const folder of FIXTURES.values()) {
          const recorder = way.compile ? recorderHere() : undefined;
          const seen = await differencesOf(folder, recorder && ((step) => recorder.record(step)));
          const family = found.get(typeOf(folder)) ?? { logits: [], loss: [], gradients: [] };
          found.set(typeOf(folder), family);
          for (const kind of ['logits', 'loss', 'gradients'] as const) family[kind].push(seen[kind]);
        }
      });
    return [...found]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .flatMap(([family, kinds]) =>
        Object.entries(kinds).map(([kind, differences]): Comparison => ({
          name: `${family}, ${kind}`,
          difference: largest(differences),
          tolerance: 1e-4,
        })),
      );
  },
};

const typeOf = (folder: string): string =>
  (JSON.parse(readFileSync(`${folder}/config.json`, 'utf8')) as { model_type: string }).model_type;
