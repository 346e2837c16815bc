import '@tensorflow/tfjs-backend-cpu';
import * as tf from '@tensorflow/tfjs-core';
import {
  initializers,
  input,
  layers,
  model,
  sequential,
  type Sequential,
  type SymbolicTensor,
} from '@tensorflow/tfjs-layers';
import { randomNormal } from '@hypetune/ops';
import { expect, test } from 'vitest';
import {
  averageWeights,
  EVALUATION_STAGE,
  OPTIMIZER_STAGE,
  parameterState,
  replaceOptimizer,
  tensorData,
  Trainer,
  type Dataset,
  type Plugin,
  type PluginHost,
  type Snapshot,
  type StepReport,
  type TrainerOptions,
} from './index.js';

function network(dropout = 0): Sequential {
  const start = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
    initializers.glorotUniform({ seed });
  return sequential({
    layers: [
      layers.dense({
        name: 'first',
        units: 5,
        inputShape: [3],
        activation: 'tanh',
        kernelInitializer: start(1),
      }),
      layers.dropout({ rate: dropout }),
      layers.dense({ name: 'head', units: 2, kernelInitializer: start(2) }),
    ],
  });
}

const x = randomNormal([24, 3], [5, 5]);
const data: Dataset = tensorData(
  x,
  Array.from({ length: 24 }, (_, row) => row % 2),
);

const plugin = (name: string, apply: (host: PluginHost) => void): Plugin => ({ name, apply });

/** A learned shift of what enters the head. */
const shift = plugin('shift', (host) => {
  const own = host.addParameter('bias', [5], (key) => randomNormal([5], key, 0.1), { rate: 10 });
  host.hooks.afterLayerForward.tap('shift', (hidden, layer, pass) =>
    layer.index === 0 ? tf.add(hidden, own.read(pass)) : hidden,
  );
});

async function fit(
  plugins: readonly Plugin[],
  options: Partial<TrainerOptions> = {},
  resume?: Snapshot,
): Promise<{
  losses: number[];
  last: StepReport;
  snapshots: Snapshot[];
  model: Sequential;
  trainer: Trainer;
}> {
  const model = network();
  const trainer = new Trainer({
    ...{ model, plugins, batchSize: 8, epochs: 2, optimizer: { learningRate: 0.01 } },
    ...options,
  });
  const losses: number[] = [];
  const snapshots: Snapshot[] = [];
  let last: StepReport | undefined;
  trainer.hooks.onStep.tap('test', (report) => {
    last = report;
    losses.push(report.loss);
  });
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    snapshots.push(await trainer.snapshot());
  });
  await trainer.fit(data, { validation: data, ...(resume && { resume }) });
  return { losses, last: last!, snapshots, model, trainer };
}

test("a plugin's own parameter is trained, clipped, saved, resumed, explained, and gone after fit", async () => {
  const before = tf.memory().numTensors;
  const { losses, snapshots, model, trainer } = await fit([shift]);
  const [first, second] = snapshots.map(({ tensors }) => Array.from(tensors['model/shift/bias']!.data));
  expect(first).not.toEqual(second);
  expect(Object.keys(snapshots[0]!.tensors)).toContain('first/shift/bias');
  expect(trainer.explain()).toContain('added      5 weights in 1 tensors, by shift');
  model.dispose();
  expect(tf.memory().numTensors).toBe(before);
  const resumed = await fit([shift], {}, snapshots[0]);
  expect(resumed.losses).toEqual(losses.slice(3));
  expect((await fit([shift])).losses).toEqual(losses);
  expect((await fit([])).losses).not.toEqual(losses);
});

test('a parameter with rate 10 moves ten times as far in its first step', async () => {
  const moved = async (rate: number): Promise<number[]> => {
    const own = plugin('own', (host) => {
      const parameter = host.addParameter('bias', [5], () => tf.zeros([5]), { rate });
      host.hooks.afterLayerForward.tap('own', (hidden, _, pass) =>
        hidden.shape[1] === 5 ? tf.add(hidden, parameter.read(pass)) : hidden,
      );
    });
    const { snapshots } = await fit([own], { steps: 1, schedule: { warmup: 0, decay: 'constant' } });
    return Array.from(snapshots[0]!.tensors['model/own/bias']!.data);
  };
  const [one, ten] = [await moved(1), await moved(10)];
  for (const [place, value] of one.entries()) expect(ten[place]! / value).toBeCloseTo(10, 4);
});

test('what beforeEvaluation makes is measured, kept as best and left in the model; training goes on from its own', async () => {
  const seen: number[] = [];
  const zero = plugin('zero', ({ hooks }) => {
    hooks.beforeEvaluation.tap({ name: 'zero', stage: EVALUATION_STAGE.AVERAGE }, (weights, { step }) => {
      seen.push(step);
      return new Map(
        [...weights].map(([name, value]) => [name, name.startsWith('head') ? tf.zerosLike(value) : value]),
      );
    });
  });
  const plain = await fit([]);
  const zeroed = await fit([zero]);
  expect(zeroed.losses).toEqual(plain.losses);
  expect(seen).toEqual([3, 6, 6]);
  const head = zeroed.model.getWeights().at(-1)!;
  expect(Array.from(head.dataSync())).toEqual([0, 0]);
  expect((await zeroed.trainer.evaluate(data)).loss).toBeCloseTo(Math.log(2), 6);
  const best = await fit([zero], { keepBest: 'accuracy' });
  expect(Array.from(best.model.getWeights().at(-1)!.dataSync())).toEqual([0, 0]);
});

test('a tap of onFitEnd that fails takes nothing away: the weights to keep are left in the model', async () => {
  const model = network();
  const zero = plugin('zero', ({ hooks }) => {
    hooks.beforeEvaluation.tap(
      'zero',
      (weights) => new Map([...weights].map(([name, value]) => [name, tf.zerosLike(value)])),
    );
    hooks.onFitEnd.tapPromise('zero', () => Promise.reject(new Error('disk full')));
  });
  const trainer = new Trainer({ model, plugins: [zero], batchSize: 8, epochs: 1 });
  await expect(trainer.fit(data)).rejects.toThrow('disk full');
  for (const weight of model.getWeights()) expect(tf.max(tf.abs(weight)).dataSync()[0]).toBe(0);
});

test('evaluate in the middle of fit measures the weights that fit would leave, however often it is asked', async () => {
  const losses: number[] = [];
  const doubled = plugin('doubled', ({ hooks }) => {
    hooks.beforeEvaluation.tap('doubled', (weights) => {
      return new Map([...weights].map(([name, value]) => [name, tf.mul(value, 2)]));
    });
  });
  const model = network();
  const trainer = new Trainer({ model, plugins: [doubled], batchSize: 8, epochs: 1 });
  const evaluate = async (): Promise<void> => {
    losses.push((await trainer.evaluate(data)).loss);
  };
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    await evaluate();
    await trainer.withEvaluatedWeights(evaluate);
  });
  await trainer.fit(data);
  await evaluate();
  expect(new Set(losses).size).toBe(1);
});

test('a run says what it trains, a step how often a parameter was trained', async () => {
  const ages: number[][] = [];
  let trained: readonly string[] = [];
  const late = plugin('late', (host) => {
    host.addPhases(() => [4]);
    host.hooks.shouldTrain.tap('late', ({ site }, { step }) =>
      site !== 'head' && step < 4 ? false : undefined,
    );
    host.hooks.onFitStart.tap('late', ({ parameters, stepsPerEpoch }) => {
      trained = [...parameters.map(({ name }) => name), String(stepsPerEpoch)];
    });
    host.hooks.onUpdate.tap('late', (step) => {
      ages.push(step.parameters.map((parameter) => step.age(parameter)));
    });
  });
  await fit([shift, late], { compile: false });
  expect(trained).toEqual(['first.kernel', 'first.bias', 'head.kernel', 'head.bias', 'shift/bias', '3']);
  expect(ages).toEqual([
    [1, 1, 1],
    [2, 2, 2],
    [3, 3, 3],
    [1, 1, 4, 4, 4],
    [2, 2, 5, 5, 5],
    [3, 3, 6, 6, 6],
  ]);
});

test('shouldTrain is asked again at a phase, and a parameter counts its own steps', async () => {
  const headFirst = plugin('head-first', (host) => {
    host.addPhases((total) => [total / 2 + 1]);
    host.hooks.shouldTrain.tap('head-first', ({ site }, { step, total }) =>
      site !== 'head' && step <= total / 2 ? false : undefined,
    );
  });
  const asked: string[][] = [];
  const watch = plugin('watch', ({ hooks }) => {
    hooks.afterBackward.tap('watch', (gradients) => {
      asked.push(Object.keys(gradients));
      return gradients;
    });
  });
  const { snapshots, losses } = await fit([headFirst, watch], { compile: false });
  expect(asked.map((names) => names.length)).toEqual([2, 2, 2, 4, 4, 4]);
  const [first, second] = snapshots.map(({ tensors }) => Array.from(tensors['model/first.kernel']!.data));
  expect(first).not.toEqual(second);
  const resumed = await fit([headFirst, watch], {}, snapshots[0]);
  expect(resumed.losses).toEqual(losses.slice(3));
});

test('a longer run may train what the run that it resumes never did', async () => {
  const late = plugin('late', (host) => {
    host.addPhases(() => [5]);
    host.hooks.shouldTrain.tap('late', ({ site }, { step }) =>
      site !== 'head' && step < 5 ? false : undefined,
    );
  });
  const pull = plugin('pull', (host) => {
    host.keepReference();
    host.hooks.beforeUpdate.tap('pull', (updates, step) => ({
      ...updates,
      ...Object.fromEntries(
        step.parameters.flatMap((parameter) => {
          const reference = host.reference(parameter);
          const away = reference && tf.sub(reference, host.value(parameter));
          return away ? [[parameter.name, tf.add(updates[parameter.name]!, tf.mul(away, 0.1))]] : [];
        }),
      ),
    }));
  });
  const momentum = plugin('momentum', (host) => {
    const sums = parameterState(host, ({ shape }) => tf.zeros([...shape]));
    replaceOptimizer(host, (parameter, gradient) => {
      const sum = tf.add(tf.mul(sums.get(parameter), 0.9), gradient);
      sums.set(parameter, sum);
      return tf.mul(sum, -0.01);
    });
  });
  const average = plugin('average', (host) => {
    averageWeights(host, () => 0.5);
  });
  const schedule = { decay: 'constant', warmup: 0 } as const;
  for (const plugins of [
    [late, pull, average],
    [late, momentum],
  ]) {
    const whole = await fit(plugins, { schedule, epochs: 3 });
    const short = await fit(plugins, { schedule, epochs: 1 });
    const longer = await fit(plugins, { schedule, epochs: 3 }, short.snapshots[0]);
    expect(longer.losses).toEqual(whole.losses.slice(3));
    expect(longer.snapshots.at(-1)).toEqual(whole.snapshots.at(-1));
  }
});

test('no phase may train nothing', async () => {
  const none = plugin('none', ({ hooks, addPhases }) => {
    addPhases(() => [3]);
    hooks.shouldTrain.tap('none', (_, { step }) => (step === 3 ? false : undefined));
  });
  await expect(fit([none])).rejects.toThrow('no parameter is left to train from step 3 on');
});

test('another draw gives another gradient of the same rows, the same draw the same', async () => {
  const model = network(0.5);
  const sums: number[][] = [];
  const draws = plugin('draws', ({ hooks }) => {
    hooks.aroundBackward.tap('draws', (gradient) => (options) => {
      const all = [0, 1, 0].map((draw) => gradient({ ...options, draw }));
      sums.push(all.map(({ terms }) => terms['task']!).map((loss) => loss.arraySync()));
      return all[0]!;
    });
  });
  const trainer = new Trainer({ model, plugins: [draws], steps: 2, compile: false });
  await trainer.fit(data);
  for (const [a, b, c] of sums) {
    expect(a).toBe(c);
    expect(a).not.toBe(b);
  }
});

test('another optimizer takes the place of AdamW; two are refused', async () => {
  const descent = (name: string): Plugin =>
    plugin(name, ({ hooks }) => {
      hooks.aroundUpdate.tap(
        { name, stage: OPTIMIZER_STAGE.REPLACE },
        (_, step) => (gradients) =>
          Object.fromEntries(
            Object.entries(gradients).map(([key, gradient]) => [key, tf.mul(gradient, -step.learningRate())]),
          ),
      );
    });
  const { losses, snapshots, trainer } = await fit([descent('descent')]);
  expect(losses).not.toEqual((await fit([])).losses);
  expect(Object.keys(snapshots[0]!.tensors).every((name) => name.startsWith('model/'))).toBe(true);
  expect(trainer.explain()).toContain('optimizer  descent, learning rate 0.01');
  expect(() => new Trainer({ model: network(), plugins: [descent('a'), descent('b')] })).toThrow(
    "a and b both replace at aroundUpdate's stage -100",
  );
});

test('onUpdate sees the weights as they were written', async () => {
  const average = plugin('average', ({ hooks, tensors, value }) => {
    hooks.onUpdate.tap('average', (step) => {
      for (const parameter of step.parameters) tensors.set(parameter.name, tf.clone(value(parameter)));
    });
  });
  const { snapshots } = await fit([average]);
  for (const { tensors } of snapshots)
    for (const name of ['first.kernel', 'head.bias'])
      expect(tensors[`plugin/average/${name}`]!.data).toEqual(tensors[`model/${name}`]!.data);
});

test('a further pass may take other inputs', async () => {
  const logits: number[][] = [];
  const other = plugin('other', ({ hooks }) => {
    hooks.afterLoss.tap('other', (terms, step) => {
      const zeros = step.batch.inputs.map((input) => tf.zerosLike(input));
      const rows = step.forward('other', { inputs: zeros }).logits;
      return { ...terms, other: tf.mul(tf.mean(rows), 0) };
    });
    hooks.afterEmbedding.tap('other', (vectors, pass) => {
      if (pass.name === 'other') logits.push(vectors.shape);
      return vectors;
    });
  });
  const { losses } = await fit([other]);
  expect(losses).toEqual((await fit([])).losses);
  expect(logits[0]).toEqual([8, 3]);
});

test('embeddings of tokens and of positions, added: what left the table of the tokens is seen, once a pass', async () => {
  const [ids, places] = [input({ shape: [3], dtype: 'int32' }), input({ shape: [3], dtype: 'int32' })];
  const vectors = (from: SymbolicTensor, start: 'zeros' | 'ones'): SymbolicTensor =>
    layers
      .embedding({ inputDim: 9, outputDim: 4, embeddingsInitializer: start })
      .apply(from) as SymbolicTensor;
  const added = layers.add().apply([vectors(places, 'ones'), vectors(ids, 'zeros')]);
  const pooled = layers.globalAveragePooling1d({}).apply(added);
  const output = layers.dense({ units: 2 }).apply(pooled) as SymbolicTensor;
  const seen: number[][] = [];
  const look = plugin('look', ({ hooks }) => {
    hooks.afterEmbedding.tap('look', (vectors, pass) => {
      seen.push([pass.rows, ...vectors.shape, tf.max(vectors).dataSync()[0]!]);
      return vectors;
    });
  });
  const inputs = [0, 1].map(() => tf.zeros([8, 3], 'int32'));
  const trainer = new Trainer({
    model: model({ inputs: [ids, places], outputs: output }),
    plugins: [look],
    steps: 1,
    compile: false,
  });
  await trainer.fit(tensorData(inputs, [0, 1, 0, 1, 0, 1, 0, 1]));
  expect(seen).toEqual([[8, 8, 3, 4, 0]]);
});

test('taps of attention on a model without any are refused by name', async () => {
  const drop = plugin('drop', ({ hooks }) => {
    hooks.afterAttentionScores.tap('drop', (scores) => scores);
  });
  await expect(fit([drop])).rejects.toThrow("drop: the model's layers have no attention to act on");
});

test.each([2, 3, 6])(
  'a signal at update %i and a resume end as an unbroken run with keepBest does',
  async (at) => {
    const options = { keepBest: 'loss', epochs: 2 } as const;
    const whole = await fit([shift], options);
    const model = network();
    const stop = new AbortController();
    const trainer = new Trainer({
      ...{ model, plugins: [shift], batchSize: 8, optimizer: { learningRate: 0.01 } },
      ...options,
    });
    let snapshot: Snapshot | undefined;
    trainer.hooks.onStep.tap('test', ({ step }) => {
      if (step === at) stop.abort();
    });
    trainer.hooks.onFitEnd.tapPromise('test', async () => {
      snapshot = await trainer.snapshot();
    });
    const report = await trainer.fit(data, { validation: data, signal: stop.signal });
    expect([report.stopped, report.steps]).toEqual(['signal', at]);
    const resumed = await fit([shift], options, snapshot);
    const values = (of: Sequential): number[][] =>
      of.getWeights().map((weight) => Array.from(weight.dataSync()));
    expect(values(resumed.model)).toEqual(values(whole.model));
    expect(resumed.snapshots.at(-1)!.meta).toEqual(whole.snapshots.at(-1)!.meta);
  },
);

test('a last update that leaves no numbers is an error, not a finished run', async () => {
  const broken = plugin('broken', ({ hooks }) => {
    hooks.beforeUpdate.tap('broken', (updates, { index, total }) =>
      index === total ? { ...updates, 'head.bias': tf.fill([2], NaN) } : updates,
    );
  });
  await expect(fit([broken])).rejects.toThrow(
    "trainer: 'head.bias' holds values that are no finite numbers after step 6; lower the learning rate",
  );
});

test('a reference is a value of its own from the first step on', async () => {
  const shared: boolean[] = [];
  const anchored = plugin('anchored', (host) => {
    host.keepReference();
    host.hooks.beforeUpdate.tap('anchored', (updates) => {
      for (const parameter of host.parameters)
        if (parameter.pretrained)
          shared.push(host.reference(parameter)!.dataId === host.value(parameter).dataId);
      return updates;
    });
  });
  await fit([anchored], { steps: 1 });
  expect(shared).toEqual([false, false]);
});

test("eachGradient has the plugins' own parameters, and their taps alone act", async () => {
  const names: string[][] = [];
  const sizes: number[] = [];
  const measure = plugin('measure', ({ hooks }) => {
    hooks.onFitStart.tapPromise('measure', async (run) => {
      await run.eachGradient((gradients) => {
        names.push(Object.keys(gradients));
        sizes.push(...tf.norm(gradients['shift/bias']!).dataSync());
      });
    });
  });
  let calls = 0;
  const noise = plugin('noise', ({ hooks }) => {
    hooks.beforeLayerForward.tap('noise', (hidden) => ((calls += 1), tf.mul(hidden, 2)));
    hooks.onFitStart.tap({ name: 'noise', stage: 1000 }, () => {
      expect(calls).toBe(0);
    });
  });
  await fit([shift, measure, noise], { steps: 1 });
  expect(calls).toBeGreaterThan(0);
  expect(names).toEqual(
    Array.from({ length: 3 }, () => [
      ...['first.kernel', 'first.bias', 'head.kernel', 'head.bias', 'shift/bias'],
    ]),
  );
  for (const size of sizes) expect(size).toBeGreaterThan(0);
});
