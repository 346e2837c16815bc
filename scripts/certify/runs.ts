import type { Plugin } from '@hypetune/core';
import { type Entry, registry } from '../../test/support/registry.js';
import { pairs as allPairs } from '../../test/support/stacks.js';
import { type Certificate, type Comparison, largest } from './certificate.js';
import { apart, moved } from './training.js';
import { inWay, waysHere } from './ways.js';

/** Where rounding, not arithmetic, decides what a method does, another of it is compared. */
const steady = (entry: Entry): Plugin => (entry.steady ?? entry.create)();
/** Methods that draw, normalize or choose by the padded row or by the batch, as their sources do. */
const BY_PADDED_ROW: Readonly<Record<string, string>> = {
  freelb: 'start and norms count padding, as the released code',
  neftune: 'the scale counts padding, as the released code',
};
/** Each microbatch has draws of its own, or a choice. */
const BY_MICROBATCH: Readonly<Record<string, string>> = Object.fromEntries([
  ...[
    'hype',
    'r3f',
    'mixout',
    'lnsr',
    'smart',
    'freelb',
    'neftune',
    'layer-drop',
    'bi-drop',
    'drop-key',
    'cutoff',
  ].map((name) => [name, 'draws for each microbatch'] as const),
  ['child-tuning/d', 'chooses its child by the gradient of each microbatch'],
  ['hidden-mixup', 'mixes the rows of a microbatch'],
  ['sam', 'climbs by each microbatch'],
  ['flooding', 'floods the mean of each microbatch'],
]);
const methodOf = ({ name }: Entry): string => name.split('/')[0]!;

/** Every pair of methods, whichever comes first. */
export const pairs: Certificate = {
  name: 'pairs',
  summary:
    'Every pair of methods trains three steps in both orders of registration; the difference of the weights is relative to the distance they were moved.',
  compare: async () => {
    const found: Comparison[] = [];
    for (const { name, entries } of allPairs) {
      const create = (): Plugin[] => entries.map((entry) => entry.create());
      const difference = apart(await moved(create().reverse(), {}), await moved(create(), {}));
      found.push({ name, difference, tolerance: 1e-4 });
    }
    const beyond = found.filter(({ difference }) => !(difference <= 1e-4));
    const rest = found.filter((pair) => !beyond.includes(pair));
    const whole = {
      name: `${rest.length} pairs`,
      difference: largest(rest.map(({ difference }) => difference)),
    };
    return [{ ...whole, tolerance: 1e-4 }, ...beyond];
  },
};

/** The same rows, padded further. */
export const padding: Certificate = {
  name: 'padding',
  summary:
    'Each method trains three steps on rows of 3 to 10 tokens padded to the longest of the batch, and on the same rows padded to 16.',
  compare: async () => {
    const found: Comparison[] = [];
    for (const entry of registry) {
      const [tight, wide] = [1, 16].map((lengthMultiple) => moved([steady(entry)], { lengthMultiple }));
      const note = BY_PADDED_ROW[methodOf(entry)];
      found.push({
        name: entry.name,
        difference: apart(await wide!, await tight!),
        ...(note === undefined ? { tolerance: 1e-4 } : { tolerance: Infinity, note }),
      });
    }
    return found;
  },
};

/** Every engine against plain JavaScript. */
export const engines: Certificate = {
  name: 'engines',
  summary:
    'Each method trains three steps, the last batch short, on every engine here (wasm, native, native with compiled steps) and in plain JavaScript.',
  compare: async () => {
    const [plain, ...others] = await waysHere();
    const found: Comparison[] = [];
    for (const entry of registry) {
      const train = (compile: boolean): ReturnType<typeof moved> =>
        moved([steady(entry)], { compile, lengthMultiple: 10, batchSize: 4 });
      const wanted = await inWay(plain!, () => train(false));
      const differences: number[] = [];
      for (const way of others) differences.push(apart(await inWay(way, () => train(way.compile)), wanted));
      found.push({
        name: entry.name,
        difference: largest(differences),
        tolerance: 1e-4,
      });
    }
    return found;
  },
};

/** Microbatches against one large batch. */
export const accumulation: Certificate = {
  name: 'accumulation',
  summary:
    'Each method trains three steps without dropout on batches of 6 rows, and on the same rows in microbatches of 4 and 2 that are accumulated.',
  compare: async () => {
    const found: Comparison[] = [];
    const common = { dropout: { hidden: 0, attention: 0 }, lengthMultiple: 10 };
    for (const entry of registry) {
      const note = BY_MICROBATCH[entry.name] ?? BY_MICROBATCH[methodOf(entry)];
      const large = await moved([steady(entry)], { ...common, batchSize: 6 });
      const parts = await moved([steady(entry)], { ...common, batchSize: 4, accumulate: 2 });
      found.push({
        name: entry.name,
        difference: apart(parts, large),
        ...(note === undefined ? { tolerance: 1e-4 } : { tolerance: Infinity, note }),
      });
    }
    return found;
  },
};
