import * as tf from '@tensorflow/tfjs-core';
import { describe, expect, test } from 'vitest';
import { childTuning } from '@hypetune/child-tuning';
import { GRADIENT_STAGE, listPairs, type Pass, type Plugin, type TrainerHooks } from '@hypetune/core';
import { hiddenMixup } from '@hypetune/hidden-mixup';
import { hype } from '@hypetune/hype';
import { layerDrop } from '@hypetune/layer-drop';
import { lnsr } from '@hypetune/lnsr';
import { mixout } from '@hypetune/mixout';
import { neftune } from '@hypetune/neftune';
import { noisytune } from '@hypetune/noisytune';
import { r3f } from '@hypetune/r3f';
import { rDrop } from '@hypetune/r-drop';
import { buildData, buildModel } from './support/models.js';
import { registry } from './support/registry.js';
import { pairs, pluginName, stacks } from './support/stacks.js';
import { makeTrainer, train, type Trained, weightsOf } from './support/training.js';

describe.each([
  { kind: 'every pair', list: pairs },
  { kind: 'random stacks', list: stacks },
])('$kind', ({ list }) => {
  test.each(list)(
    '$name trains, leaks nothing, and does not depend on the order of registration',
    async ({ entries }) => {
      const create = (): Plugin[] => entries.map((entry) => entry.create());
      const before = tf.memory().numTensors;
      // A large epsilon: AdamW blows gradients that are nothing but rounding up to whole steps.
      const options = { steps: 3, optimizer: { learningRate: 0.01, epsilon: 1e-3 } };
      const forwards = await train('bert', create(), options);
      expect(forwards.losses).toHaveLength(3);
      expect(forwards.losses.every(Number.isFinite)).toBe(true);
      const other = await train('bert', create().reverse(), options);
      // At one stage taps add up in the order of registration: the same but for rounding.
      if (orderMatters(create())) expectClose(other, forwards, 1e-5);
      else expect({ ...other, warnings: [] }).toEqual({ ...forwards, warnings: [] });
      expect(tf.memory().numTensors).toBe(before);
    },
  );
});

describe('what plugins say of each other', () => {
  const said = [...new Map(registry.map((entry) => [pluginName(entry), entry.create()])).values()].flatMap(
    (plugin) => listPairs(plugin.pairs).map((pair) => ({ from: plugin.name, ...pair })),
  );

  test('names plugins that exist, each pair once', () => {
    const names = new Set(registry.map(pluginName));
    expect(said.filter((pair) => !names.has(pair.with))).toEqual([]);
    const keys = said.map((pair) => [pair.from, pair.with].sort().join(' + '));
    expect(keys.filter((key, place) => keys.indexOf(key) !== place)).toEqual([]);
  });

  test.each(said.filter(({ verdict }) => verdict !== 'note'))(
    '$from with $with: $verdict',
    ({ from, verdict, reason, ...pair }) => {
      const model = buildModel('bert');
      const warnings: string[] = [];
      const make = (): unknown =>
        makeTrainer(
          model,
          [from, pair.with].map((name) => registry.find((entry) => pluginName(entry) === name)!.create()),
          { onWarning: (line) => warnings.push(line) },
        );
      if (verdict === 'error') expect(make).toThrow(reason);
      else {
        make();
        expect(warnings.filter((line) => line.includes(reason))).toHaveLength(1);
      }
      model.dispose();
    },
  );
});

describe('passes (V8)', () => {
  test.each([
    ['noised', false, true],
    ['both', true, true],
    ['main', true, false],
  ] as const)(
    'R3F with hype %s: hidden noise in main %s, in the noised pass %s',
    async (passes, main, noised) => {
      const seen = await observe([r3f({ hype: passes }), hype({ scale: 0.1 })]);
      expect(seen.noise('main')).toEqual([main, main]);
      expect(seen.noise('r3f')).toEqual([noised, noised]);
    },
  );

  test('R-Drop and HyPe: noise at every layer of both passes, drawn independently', async () => {
    const seen = await observe([rDrop(), hype({ scale: 0.1 })]);
    expect([seen.noise('main'), seen.noise('r-drop')]).toEqual([
      [true, true],
      [true, true],
    ]);
    expect(seen.hidden.get('main')![0]).not.toEqual(seen.hidden.get('r-drop')![0]);
    expect(seen.hidden.get('main')![0]).not.toEqual(seen.hidden.get('main')![1]);
  });

  test('NEFTune draws once for both passes of R3F', async () => {
    const alone = await observe([r3f({ scale: 0, dropout: 'shared' })]);
    const { embedded } = await observe([r3f({ scale: 0, dropout: 'shared' }), neftune()]);
    expect(embedded.get('main')).toEqual(embedded.get('r3f'));
    expect(embedded.get('main')).not.toEqual(alone.embedded.get('main'));
  });

  test.each(['independent', 'shared'] as const)(
    'Mixout with a %s mask reads each weight once a pass',
    async (mask) => {
      const { reads } = await observe([rDrop(), mixout({ p: 0.5, mask })], 2);
      const [main, second] = [reads.get('main')!, reads.get('r-drop')!];
      const names = main.map(([name]) => name);
      expect(new Set(names).size).toBe(names.length);
      expect(second.map(([name]) => name)).toEqual(names);
      const mixed = (list: typeof main): unknown =>
        list.find(([name]) => /layer\.0\.intermediate\.dense\.weight/.test(name))![1];
      if (mask === 'shared') expect(mixed(second)).toEqual(mixed(main));
      else expect(mixed(second)).not.toEqual(mixed(main));
    },
  );
});

describe('layers that are skipped', () => {
  const skipAll = (): Plugin => layerDrop({ rate: 1 - 1e-9 });

  test.each(['lnsr first', 'layer-drop first'])("hand LNSR's noise on: %s", async (order) => {
    const plugins = [lnsr({ scale: 0.1 }), skipAll()];
    const terms: number[] = [];
    const model = buildModel('bert');
    const { data, dispose } = buildData('bert');
    const trainer = makeTrainer(model, order === 'lnsr first' ? plugins : plugins.reverse(), { steps: 2 });
    trainer.hooks.onStep.tap('test', (report) => terms.push(report.terms['lnsr']!));
    await trainer.fit(data);
    dispose();
    model.dispose();
    // Two layers, of each the noise itself: 8 entries of variance 0.01.
    for (const term of terms) expect(term).toBeCloseTo(2 * 8 * 0.01, 1);
  });

  test.each([false, true])('mix what they hand on, as labels are mixed; mixup first: %s', async (first) => {
    const plugins = [skipAll(), hiddenMixup({ alpha: 16, layers: [0] })];
    const model = buildModel('bert');
    const { data, dispose } = buildData('bert');
    const trainer = makeTrainer(model, first ? plugins.reverse() : plugins, { steps: 1, compile: false });
    let [entered, left]: number[][] = [[], []];
    trainer.hooks.beforeLayerForward.tap({ name: 'test', stage: -1000 }, (state, layer) => {
      if (layer.index === 0) entered = Array.from(state.dataSync());
      return state;
    });
    trainer.hooks.afterLayerForward.tap({ name: 'test', stage: 1000 }, (state, layer) => {
      if (layer.index === 0) left = Array.from(state.dataSync());
      return state;
    });
    await trainer.fit(data);
    dispose();
    model.dispose();
    expect(left).toHaveLength(entered!.length);
    expect(Math.max(...left!.map((value, i) => Math.abs(value - entered![i]!)))).toBeGreaterThan(0.01);
  });
});

describe("the paper's stacks", () => {
  const noise = (): Plugin => hype({ scale: 0.1, hiddenDropout: 0 });
  test.each([
    {
      partner: 'R-Drop',
      create: () => rDrop({ weight: 0.5 }),
      passes: ['main', 'r-drop'],
      noisy: ['main', 'r-drop'],
    },
    { partner: 'R3F', create: () => r3f({ scale: 0.1 }), passes: ['main', 'r3f'], noisy: ['r3f'] },
    {
      partner: 'Child-Tuning-D',
      create: () => childTuning({ mode: 'D' }),
      passes: ['main'],
      noisy: ['main'],
    },
    { partner: 'NoisyTune', create: () => noisytune(), passes: ['main'], noisy: ['main'] },
  ])('HyPe with $partner', async ({ create, passes, noisy }) => {
    const seen = await observe([create(), noise()]);
    expect([...seen.hidden.keys()]).toEqual(passes);
    expect(passes.filter((pass) => seen.noise(pass).every(Boolean))).toEqual(noisy);
    expect(seen.explained).toMatch(/hidden.*0.*hype|hype.*hidden.*0/is);
  });

  test('Child-Tuning-D leaves the same entries of the hidden layers without a gradient at every step', async () => {
    const model = buildModel('bert');
    const { data, dispose } = buildData('bert');
    const trainer = makeTrainer(model, [childTuning({ mode: 'D', reserve: 0.3 }), noise()], {
      compile: false,
    });
    const zeros: number[][] = [];
    trainer.hooks.afterBackward.tap({ name: 'test', stage: GRADIENT_STAGE.RECORD }, (gradients) => {
      const hidden = Object.entries(gradients).filter(([name]) => name.includes('encoder.layer'));
      const values = hidden.flatMap(([, gradient]) => Array.from(gradient.dataSync()));
      zeros.push(values.flatMap((value, place) => (value === 0 ? [place] : [])));
      expect(zeros.at(-1)!.length / values.length).toBeGreaterThan(0.65);
      return gradients;
    });
    await trainer.fit(data);
    const always = zeros.reduce((common, step) => common.filter((place) => new Set(step).has(place)));
    expect(always.length).toBeGreaterThan(0.95 * zeros[0]!.length);
    dispose();
    model.dispose();
  });

  test('NoisyTune has moved every kernel before the first step', async () => {
    const model = buildModel('bert');
    const { data, dispose } = buildData('bert');
    const before = weightsOf(model);
    await makeTrainer(model, [noisytune(), noise()], { steps: 1, optimizer: { learningRate: 0 } }).fit(data);
    const still = Object.entries(weightsOf(model)).filter(
      ([name, values]) =>
        /weight$/.test(name) && new Set(before[name]).size > 1 && values[0] === before[name]![0],
    );
    expect(still).toEqual([]);
    dispose();
    model.dispose();
  });
});

/** Expects two runs to be equal up to a part of the 0.03 that a weight may go in them. */
function expectClose(a: Trained, b: Trained, tolerance: number): void {
  for (const [place, loss] of a.losses.entries()) expect(loss).toBeCloseTo(b.losses[place]!, 3);
  const distance = Math.max(
    ...Object.entries(a.weights).flatMap(([name, values]) =>
      values.map((value, i) => Math.abs(value - b.weights[name]![i]!)),
    ),
  );
  expect(distance).toBeLessThan(tolerance);
}

/** Whether two plugins tap one hook at one stage, where registration order decides. */
function orderMatters(plugins: readonly Plugin[]): boolean {
  const model = buildModel('bert');
  const { hooks } = makeTrainer(model, plugins);
  model.dispose();
  return Object.values(hooks as unknown as Record<string, { taps: { name: string; stage?: number }[] }>).some(
    ({ taps }) => {
      const owners = new Map<number, string>();
      return taps.some(
        ({ name, stage = 0 }) => (owners.get(stage) ?? name) !== name || !owners.set(stage, name),
      );
    },
  );
}

/** What the passes of a stack's last step saw. */
interface Seen {
  readonly explained: string;
  /** What entered each hidden layer, by pass. */
  readonly hidden: Map<string, number[][]>;
  /** What left the token table, by pass. */
  readonly embedded: Map<string, number[]>;
  /** Every weight as it was read, by pass. */
  readonly reads: Map<string, [string, number[]][]>;
  /** Whether anything changed what enters each hidden layer of a pass. */
  noise(pass: string): boolean[];
}

async function observe(plugins: readonly Plugin[], steps = 1): Promise<Seen> {
  const model = buildModel('bert');
  const { data, dispose } = buildData('bert');
  const trainer = makeTrainer(model, plugins, { steps, compile: false });
  const [hidden, embedded, reads, changed] = [new Map(), new Map(), new Map(), new Map()] as [
    Seen['hidden'],
    Seen['embedded'],
    Seen['reads'],
    Map<string, boolean[]>,
  ];
  const values = (tensor: tf.Tensor): number[] => Array.from(tensor.dataSync());
  const add = <T>(map: Map<string, T[]>, { name }: Pass, value: T): void => {
    map.set(name, [...(map.get(name) ?? []), value]);
  };
  const { hooks }: { hooks: TrainerHooks } = trainer;
  hooks.beforeBatch.tap('test', (batch) => {
    for (const map of [hidden, embedded, reads, changed]) map.clear();
    return batch;
  });
  let before: number[] = [];
  hooks.beforeLayerForward.tap({ name: 'test', stage: -1000 }, (state) => {
    before = values(state);
    return state;
  });
  hooks.beforeLayerForward.tap({ name: 'test', stage: 1000 }, (state, _, pass) => {
    const after = values(state);
    add(hidden, pass, after);
    add(
      changed,
      pass,
      after.some((value, place) => value !== before[place]),
    );
    return state;
  });
  hooks.afterEmbedding.tap({ name: 'test', stage: 1000 }, (vectors, pass) => {
    embedded.set(pass.name, values(vectors));
    return vectors;
  });
  hooks.afterWeightRead.tap({ name: 'test', stage: 1000 }, (weight, parameter, pass) => {
    add(reads, pass, [parameter.name, values(weight)]);
    return weight;
  });
  const explained = trainer.explain();
  await trainer.fit(data);
  dispose();
  model.dispose();
  return { explained, hidden, embedded, reads, noise: (pass) => changed.get(pass)! };
}
