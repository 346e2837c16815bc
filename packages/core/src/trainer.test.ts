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
import { foldIn, randomNormal } from '@hypetune/ops';
import { beforeEach, expect, test } from 'vitest';
import {
  HIDDEN_STAGE,
  singleLabel,
  tensorData,
  tokenClassification,
  Trainer,
  type Dataset,
  type Metric,
  type Plugin,
  type Snapshot,
  type TrainerOptions,
} from './index.js';

function net(dropout = 0): Sequential {
  const model = sequential();
  model.add(
    layers.dense({
      units: 8,
      inputShape: [4],
      activation: 'tanh',
      kernelInitializer: initial(1),
      name: 'first',
    }),
  );
  if (dropout > 0) model.add(layers.dropout({ rate: dropout }));
  model.add(layers.dense({ units: 8, activation: 'tanh', kernelInitializer: initial(2), name: 'second' }));
  model.add(layers.dense({ units: 2, kernelInitializer: initial(3), name: 'head' }));
  return model;
}

const initial = (seed: number): ReturnType<typeof initializers.glorotUniform> =>
  initializers.glorotUniform({ seed });

function rows(size = 48): { data: Dataset; dispose: () => void } {
  const x = randomNormal([size, 4], [9, 9]);
  const labels = Array.from(
    tf.tidy(() => tf.sum(x, 1).dataSync()),
    (sum) => (sum > 0 ? 1 : 0),
  );
  return {
    data: tensorData(x, labels),
    dispose: () => {
      x.dispose();
    },
  };
}

const weights = (model: Sequential): number[][] =>
  model.getWeights().map((weight) => Array.from(weight.dataSync()));

const noise = (scale: number): Plugin => ({
  name: 'noise',
  apply({ hooks }) {
    hooks.beforeLayerForward.tap({ name: 'noise', stage: HIDDEN_STAGE.NOISE }, (hidden, layer, pass) =>
      pass.training && pass.perturb
        ? tf.add(hidden, randomNormal(hidden.shape, foldIn(pass.key, 'noise', layer.index), scale))
        : hidden,
    );
  },
});

async function losses(options: Partial<TrainerOptions> = {}, model = net()): Promise<number[]> {
  const { data, dispose } = rows();
  const trainer = new Trainer({
    model,
    batchSize: 8,
    epochs: 2,
    optimizer: { learningRate: 0.01 },
    seed: 3,
    ...options,
  });
  const seen: number[] = [];
  trainer.hooks.onStep.tap('test', ({ loss }) => seen.push(loss));
  await trainer.fit(data);
  dispose();
  return seen;
}

beforeEach(() => tf.setBackend('cpu'));

test('learns, and the same seed gives the same losses', async () => {
  const first = await losses();
  expect(first).toHaveLength(12);
  expect(first.at(-1)!).toBeLessThan(first[0]! * 0.9);
  expect(await losses()).toEqual(first);
  expect(await losses({ seed: 4 })).not.toEqual(first);
});

test('weights stay within the constraints of their layers', async () => {
  const build = (constrained: boolean): Sequential =>
    sequential({
      layers: [
        layers.dense({
          units: 8,
          inputShape: [4],
          kernelInitializer: 'ones',
          ...(constrained ? { kernelConstraint: 'unitNorm' } : {}),
        }),
        layers.dense({
          units: 2,
          kernelInitializer: 'zeros',
          ...(constrained ? { kernelConstraint: 'nonNeg' } : {}),
        }),
      ],
    });
  const free = build(false);
  const constrained = build(true);
  await losses({}, free);
  await losses({}, constrained);
  expect(Math.min(...weights(free)[2]!)).toBeLessThan(-0.01);
  expect(Math.min(...weights(constrained)[2]!)).toBe(0);
  expect(Math.max(...weights(constrained)[2]!)).toBeGreaterThan(0.01);
  const kernel = weights(constrained)[0]!;
  for (let unit = 0; unit < 8; unit++)
    expect(Math.hypot(...kernel.filter((_, place) => place % 8 === unit))).toBeCloseTo(1, 5);
});

test('dropout draws by key, and built-in layers are reproducible', async () => {
  const first = await losses({}, net(0.5));
  expect(await losses({}, net(0.5))).toEqual(first);
  expect(first).not.toEqual(await losses());
  expect(await losses({ dropout: { hidden: 0 } }, net(0.5))).toEqual(await losses());
});

test('a rate acts on dropout whose own rate is 0, and is said to do nothing where there is none', async () => {
  const { data, dispose } = rows();
  const train = async (rate: number | undefined, dropout: object): Promise<[number, string[]]> => {
    const model = net();
    if (rate !== undefined) {
      const dense = layers.dense({ units: 2, kernelInitializer: initial(4) });
      for (const layer of [layers.dropout({ rate }), dense]) model.add(layer);
    }
    const warnings: string[] = [];
    const onWarning = (line: string): number => warnings.push(line);
    const trainer = new Trainer({ model, steps: 1, dropout, onWarning });
    return [(await trainer.fit(data)).lastLoss, warnings];
  };
  expect(await train(0, { hidden: 0.5 })).toEqual(await train(0.5, {}));
  expect(await train(0, { hidden: 0.5 })).not.toEqual(await train(0, {}));
  const [loss, warnings] = await train(undefined, { hidden: 0.5, attention: 0 });
  expect(loss).toBe((await train(undefined, {}))[0]);
  expect(warnings).toEqual(['trainer: no layer has hidden dropout: the rate 0.5 does nothing.']);
  dispose();
});

test('a tap changes hidden states in training and nothing in evaluation', async () => {
  const { data, dispose } = rows();
  const model = net();
  const trainer = new Trainer({ model, plugins: [noise(0.5)], batchSize: 8, epochs: 1 });
  const before = await trainer.evaluate(data);
  const plain = await new Trainer({ model }).evaluate(data);
  expect(before).toEqual(plain);
  expect(await losses({ plugins: [noise(0.5)] })).not.toEqual(await losses());
  dispose();
});

test('leaves no tensor and an untouched model, also after a throw', async () => {
  const { data, dispose } = rows();
  const model = net(0.3);
  const trainer = new Trainer({ model, plugins: [noise(0.1)], batchSize: 8, epochs: 1 });
  await trainer.fit(data);
  const tensors = tf.memory().numTensors;
  await trainer.fit(data);
  expect(tf.memory().numTensors).toBe(tensors);
  const broken: Plugin = {
    name: 'broken',
    apply({ hooks }) {
      hooks.afterWeightRead.tap('broken', (weight) => tf.mul(weight, 2));
      hooks.afterLoss.tap('broken', (terms, step) => {
        step.forward('broken');
        if (step.index === 3) throw new Error('on purpose');
        return terms;
      });
    },
  };
  await expect(new Trainer({ model, plugins: [broken], batchSize: 8 }).fit(data)).rejects.toThrow(
    'on purpose',
  );
  expect(tf.memory().numTensors).toBe(tensors);
  for (const layer of model.layers) {
    expect(Object.hasOwn(layer, 'call')).toBe(false);
    for (const weight of layer.weights) expect(Object.hasOwn(weight, 'read')).toBe(false);
  }
  dispose();
});

test('a model of two inputs that is given one says so', async () => {
  const [a, b] = [input({ shape: [4], name: 'left' }), input({ shape: [4], name: 'right' })];
  const joined = layers.concatenate().apply([a, b]) as SymbolicTensor;
  const outputs = layers.dense({ units: 2 }).apply(joined) as SymbolicTensor;
  const two = model({ inputs: [a, b], outputs });
  const { data, dispose } = rows();
  await expect(new Trainer({ model: two, steps: 1 }).fit(data)).rejects.toThrow(
    "trainer: the model has 2 inputs ('left', 'right'), the data set gives 1; give one tensor for each",
  );
  dispose();
  two.dispose();
});

test('resuming equals not stopping, bit for bit', async () => {
  const { data, dispose } = rows();
  const options = { plugins: [noise(0.1)], batchSize: 8, epochs: 3, seed: 5 };
  const whole = net(0.3);
  await new Trainer({ ...options, model: whole }).fit(data);
  const stop = new AbortController();
  const part = new Trainer({ ...options, model: net(0.3) });
  let snapshot: Snapshot | undefined;
  part.hooks.onStep.tap('test', ({ step }) => {
    if (step === 8) stop.abort();
  });
  part.hooks.onFitEnd.tapPromise('test', async () => {
    snapshot = await part.snapshot();
  });
  expect((await part.fit(data, { signal: stop.signal })).stopped).toBe('signal');
  const rest = net(0.3);
  await new Trainer({ ...options, model: rest }).fit(data, { resume: structuredClone(snapshot!) });
  expect(weights(rest)).toEqual(weights(whole));
  dispose();
});

test.each(['the same trainer', 'a new one'])('a second fit is resumed exactly by %s', async (resumer) => {
  const { data, dispose } = rows();
  const trainerOf = (): [Trainer, number[]] => {
    const trainer = new Trainer({ model: net(0.3), batchSize: 8, steps: 4, seed: 5 });
    const losses: number[] = [];
    trainer.hooks.onStep.tap('test', ({ loss }) => losses.push(loss));
    return [trainer, losses];
  };
  const [whole, expected] = trainerOf();
  for (let fit = 0; fit < 3; fit += 1) await whole.fit(data);
  const [part, losses] = trainerOf();
  await part.fit(data);
  let snapshot: Snapshot | undefined;
  const stop = new AbortController();
  part.hooks.onPause.tapPromise('test', async ({ step }) => {
    if (step !== 2 || snapshot) return;
    snapshot = await part.snapshot();
    stop.abort();
  });
  await part.fit(data, { signal: stop.signal });
  const [other, rest] = resumer === 'a new one' ? trainerOf() : [part, []];
  await other.fit(data, { resume: snapshot! });
  await other.fit(data);
  expect([...losses, ...rest]).toEqual(expected);
  dispose();
});

test('accumulating two microbatches of 4 equals a batch of 8', async () => {
  const [a, b] = [net(), net()];
  await losses({ batchSize: 8 }, a);
  await losses({ batchSize: 4, accumulate: 2 }, b);
  for (const [i, values] of weights(a).entries())
    for (const [j, value] of values.entries()) expect(weights(b)[i]![j]).toBeCloseTo(value, 5);
});

test('accumulation counts every row alike, in a short last microbatch too, and leaves no tensor', async () => {
  const tensors = tf.memory().numTensors;
  const [a, b] = [net(), net()];
  const { data, dispose } = rows(30);
  const seen: Record<string, number[]> = {};
  for (const [model, options] of [
    [a, { batchSize: 10 }],
    [b, { batchSize: 4, accumulate: 3 }],
  ] as const) {
    // An epoch is one update in either: of 10 rows, or of 4 + 4 + 2.
    const ordered: Dataset = { ...data, size: 10 };
    const trainer = new Trainer({ model, epochs: 4, seed: 3, ...options });
    // A term that is a sum over the rows of the update, however they are cut.
    trainer.hooks.afterLoss.tap('sum', (terms, step) => ({
      ...terms,
      sum: step.sum(tf.sum(tf.square(step.main.logits), -1)),
    }));
    seen[options.batchSize] = [];
    trainer.hooks.onStep.tap('test', ({ loss, rows }) => seen[options.batchSize]!.push(loss, rows));
    await trainer.fit(ordered);
  }
  seen['10']!.forEach((value, i) => {
    expect(seen['4']![i]).toBeCloseTo(value, 5);
  });
  for (const [i, values] of weights(a).entries())
    for (const [j, value] of values.entries()) expect(weights(b)[i]![j]).toBeCloseTo(value, 5);
  const broken: Plugin = {
    name: 'broken',
    apply({ hooks }) {
      hooks.beforeBatch.tap('broken', (batch, step) => {
        if (step.microbatch === 2) throw new Error('on purpose');
        return batch;
      });
    },
  };
  const trainer = new Trainer({ model: b, plugins: [broken], batchSize: 4, accumulate: 3 });
  await expect(trainer.fit(data)).rejects.toThrow('on purpose');
  dispose();
  a.dispose();
  b.dispose();
  expect(tf.memory().numTensors).toBe(tensors);
});

test('a sum over rows that weigh differently is the same however they are accumulated, where none weighs too', async () => {
  const [rowCount, length, classes] = [8, 4, 3];
  const x = randomNormal([rowCount, length, 5], [9, 9]);
  const seen: number[][] = [];
  for (const accumulate of [1, 2, 4, 8]) {
    const model = sequential({
      layers: [layers.dense({ units: classes, kernelInitializer: initial(1), inputShape: [length, 5] })],
    });
    // Row 0 has no token that counts, the others 1 to 4; a class of each.
    const labels = Array.from({ length: rowCount }, (_, row) =>
      Array.from({ length }, (_, token) =>
        token < (row && ((row * 3) % 4) + 1) ? (row + token) % classes : -100,
      ),
    );
    const task = tokenClassification();
    const trainer = new Trainer({ model, task, steps: 1, batchSize: rowCount / accumulate, accumulate });
    trainer.hooks.afterLoss.tap('sum', (terms, step) => ({
      ...terms,
      sum: step.sum(step.rowLoss(step.main.logits)),
    }));
    trainer.hooks.onStep.tap('test', ({ terms, gradientNorm }) => seen.push([terms['sum']!, gradientNorm]));
    await trainer.fit(tensorData(x, labels));
    model.dispose();
  }
  for (const [sum, norm] of seen) {
    expect(sum).toBeCloseTo(seen[0]![0]!, 4);
    expect(norm).toBeCloseTo(seen[0]![1]!, 4);
  }
  x.dispose();
});

test('keeps the best epoch and stops when patience is out', async () => {
  const { data, dispose } = rows();
  const trainer = new Trainer({
    model: net(),
    batchSize: 8,
    epochs: 50,
    keepBest: 'accuracy',
    patience: 2,
    optimizer: { learningRate: 0.05 },
  });
  const report = await trainer.fit(data, { validation: data });
  expect(report.stopped).toBe('patience');
  const best = Math.max(...report.epochs.map(({ metrics }) => metrics.accuracy!));
  expect((await trainer.evaluate(data)).metrics.accuracy).toBe(best);
  dispose();
});

test('patience runs out too where what is measured is never a number', async () => {
  const { data, dispose } = rows();
  const none = { name: 'none', greaterIsBetter: true, compute: () => NaN };
  const options = { metrics: [none], keepBest: none, patience: 2, batchSize: 8, epochs: 6 } as const;
  const trainer = new Trainer({ ...options, model: net(), onWarning: () => undefined });
  const report = await trainer.fit(data, { validation: data });
  expect([report.stopped, report.epochs.length, report.best]).toEqual(['patience', 3, undefined]);
  dispose();
});

test('a run that goes on from the end of its last epoch has no more patience than it had', async () => {
  const { data, dispose } = rows();
  const setting = { batchSize: 8, epochs: 50, keepBest: 'accuracy', patience: 2 } as const;
  const options = { ...setting, optimizer: { learningRate: 0.05 } };
  const trainer = new Trainer({ ...options, model: net() });
  const ends: Snapshot[] = [];
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    ends.push(await trainer.snapshot());
  });
  const report = await trainer.fit(data, { validation: data });
  const again = new Trainer({ ...options, model: net() });
  const resumed = await again.fit(data, { validation: data, resume: ends.at(-1)! });
  expect(resumed).toMatchObject({ steps: report.steps, stopped: 'patience', epochs: [], best: report.best });
  expect(await again.evaluate(data)).toEqual(await trainer.evaluate(data));
  const before = new Trainer({ ...options, model: net() });
  expect((await before.fit(data, { validation: data, resume: ends.at(-2)! })).epochs).toHaveLength(1);
  dispose();
});

test.each([
  ['none', {}, undefined],
  ['another', { keepBest: 'loss' }, 'loss'],
] as const)(
  'a resumed run with %s in the place of the keepBest it had forgets the best epoch of that',
  async (_, now, metric) => {
    const { data, dispose } = rows();
    const options = { batchSize: 8, optimizer: { learningRate: 0.05 } };
    const trainer = new Trainer({ ...options, model: net(), epochs: 2, keepBest: 'accuracy' });
    let snapshot: Snapshot | undefined;
    trainer.hooks.onEpoch.tapPromise('test', async () => {
      snapshot = await trainer.snapshot();
    });
    await trainer.fit(data, { validation: data });
    expect(snapshot?.meta.best).toMatchObject({ metric: 'accuracy' });
    const again = new Trainer({ ...options, model: net(), epochs: 4, ...now });
    const { best, epochs } = await again.fit(data, { validation: data, resume: snapshot! });
    const losses = epochs.map(({ metrics }) => metrics.loss!);
    const kept = metric ? Math.min(...losses) : losses.at(-1)!;
    expect((await again.evaluate(data)).loss).toBeCloseTo(kept, 5);
    expect(best?.value).toBe(metric && kept);
    dispose();
  },
);

test('a resumed run whose epochs have another number of updates is refused', async () => {
  const { data, dispose } = rows();
  const trainer = new Trainer({ model: net(), batchSize: 8, epochs: 1 });
  let snapshot: Snapshot | undefined;
  trainer.hooks.onEpoch.tapPromise('test', async () => {
    snapshot = await trainer.snapshot();
  });
  await trainer.fit(data);
  const other = new Trainer({ model: net(), batchSize: 4, epochs: 2 });
  await expect(other.fit(data, { resume: snapshot! })).rejects.toThrow(
    /an epoch of the snapshot's run has \d+ updates, one of this run \d+\. Resume with the same data, batchSize and accumulate\./,
  );
  dispose();
});

test('an evaluation whose keepBest is NaN is not the best, and a warning says so', async () => {
  const { data, dispose } = rows();
  const values = [NaN, 2, 1];
  const odd: Metric = { name: 'odd', greaterIsBetter: true, compute: () => values.shift()! };
  const warnings: string[] = [];
  const onWarning = (line: string): number => warnings.push(line);
  const trainer = new Trainer({ model: net(), batchSize: 8, epochs: 3, keepBest: odd, onWarning });
  const { best } = await trainer.fit(data, { validation: data });
  expect(best).toEqual({ value: 2, epoch: 1 });
  expect(warnings).toContain("trainer: keepBest 'odd' came out as NaN: such weights are never the best.");
  dispose();
});

test.each([
  ['a mean', (l: tf.Tensor, y: tf.Tensor) => tf.losses.softmaxCrossEntropy(y, l), 'one of shape []'],
  ['a column', (l: tf.Tensor, y: tf.Tensor) => tf.sum(tf.mul(l, y), 1, true), 'one of shape [8, 1]'],
  ['one number', () => 1, '1'],
] as const)('a loss that gives %s instead of a number a row is refused', async (_, loss, got) => {
  const { data, dispose } = rows();
  const trainer = new Trainer({ model: net(), batchSize: 8, loss: loss as () => tf.Tensor1D });
  const message = `trainer: loss must return the loss of each row, a tensor of shape [8], got ${got};`;
  await expect(trainer.fit(data)).rejects.toThrow(message);
  await expect(trainer.evaluate(data)).rejects.toThrow(message);
  dispose();
});

test('a loss in the place of the one that options of the task act in is refused, and other members of a task stay', async () => {
  const { data, dispose } = rows();
  const loss = singleLabel().loss;
  const weighted = singleLabel({ classWeights: [1, 9], labelSmoothing: 0.1 });
  const message = 'trainer: classWeights and labelSmoothing of the task act in its own loss, which ';
  expect(() => new Trainer({ model: net(), task: weighted, loss })).toThrow(`${message}\`loss\` replaces;`);
  expect(() => new Trainer({ model: net(), task: { ...weighted, loss } })).toThrow(
    `${message}another one replaces;`,
  );
  const balanced = singleLabel({ classWeights: 'balanced' });
  expect(() => new Trainer({ model: net(), task: { ...balanced, loss } })).toThrow(
    'classWeights of the task',
  );

  const asked: unknown[] = [];
  const predict: typeof balanced.predict = (logits, outputs) => {
    asked.push(logits);
    return balanced.predict(logits, outputs);
  };
  const trainer = new Trainer({ model: net(), task: { ...balanced, predict }, steps: 1 });
  await trainer.fit(data);
  await trainer.predictions(data);
  expect(asked).toHaveLength(data.size);
  dispose();
});

test.each([
  ['a label out of range', { label: (row: number) => (row < 47 ? 0 : 2) }, 'data: row 47 has label 2;'],
  ['no label', { label: (row: number) => [0][row]! }, 'data: row 1 has label undefined;'],
  ['no rows', { size: 0 }, 'trainer: the validation data has no rows.'],
])('validation data with %s is refused before the first step', async (_, odd, message) => {
  const { data, dispose } = rows();
  const trainer = new Trainer({ model: net(), task: singleLabel({ classWeights: 'balanced' }) });
  let steps = 0;
  trainer.hooks.onStep.tap('test', () => {
    steps += 1;
  });
  await expect(trainer.fit(data, { validation: { ...data, ...odd } })).rejects.toThrow(message);
  expect(steps).toBe(0);
  await expect(trainer.fit({ ...data, ...odd })).rejects.toThrow(message.replace('validation', 'training'));
  dispose();
});

test('evaluation takes batches of its own size, and measures the same', async () => {
  const { data, dispose } = rows(20);
  const model = net();
  const sizes: number[] = [];
  const counted: Dataset = {
    ...data,
    inputs: (indices, padded) => (sizes.push(indices.length), data.inputs(indices, padded)),
  };
  const { loss, metrics } = await new Trainer({ model, batchSize: 4 }).evaluate(counted);
  expect(sizes).toEqual([4, 4, 4, 4, 4]);
  sizes.length = 0;
  const larger = await new Trainer({ model, batchSize: 4, evaluationBatchSize: 8 }).evaluate(counted);
  expect(sizes).toEqual([8, 8, 4]);
  expect(larger.loss).toBeCloseTo(loss, 6);
  expect(larger.metrics).toEqual(metrics);
  dispose();
});

test('a wrapper may compute the gradient twice with the same draws', async () => {
  const terms: number[][] = [];
  const twice: Plugin = {
    name: 'twice',
    apply({ hooks }) {
      hooks.aroundBackward.tap('twice', (gradient) => () => {
        const [a, b] = [gradient(), gradient()];
        terms.push([a.terms.task!.dataSync()[0]!, b.terms.task!.dataSync()[0]!]);
        return b;
      });
    },
  };
  const alone = await losses({ plugins: [noise(0.2)] }, net(0.3));
  expect(await losses({ plugins: [noise(0.2), twice], compile: false }, net(0.3))).toEqual(alone);
  for (const [a, b] of terms) expect(a).toBe(b);
});

test('refuses a second fit, twins and unknown options', async () => {
  const { data, dispose } = rows();
  const model = net();
  const trainer = new Trainer({ model, epochs: 1 });
  const running = trainer.fit(data);
  await expect(trainer.fit(data)).rejects.toThrow('fit is running');
  await running;
  expect(() => new Trainer({ model, plugins: [noise(1), noise(2)] })).toThrow(
    "two plugins are named 'noise'",
  );
  expect(() => new Trainer({ model, bathSize: 3 } as TrainerOptions)).toThrow("unknown option 'bathSize'");
  expect(() => new Trainer({ model, lengths: [64, 32] })).toThrow(
    'trainer: lengths must be a list of ascending integers, got [64,32].',
  );
  expect(() => new Trainer({ model, lengths: 64 as unknown as number[] })).toThrow(
    'trainer: lengths must be a list, each entry an integer >= 1, got 64.',
  );
  expect(() => new Trainer({ model: 3 as unknown as Sequential })).toThrow(
    'trainer: model must be a tf.LayersModel (tf.model, tf.sequential or one of @hypetune/models), got 3.',
  );
  expect(() => new Trainer({ model, optimizer: { beta1: 1 } })).toThrow(
    'trainer: optimizer.beta1 must be a finite number >= 0 and < 1, got 1.',
  );
  expect(() => new Trainer({ model, compile: 'no' as 'auto' })).toThrow(
    "trainer: compile must be 'auto' or true or false, got 'no'.",
  );
  expect(() => new Trainer({ model, batchSize: 0 })).toThrow(
    'trainer: batchSize must be an integer >= 1, got 0.',
  );
  dispose();
});

test('explain names the taps in order and the passes', () => {
  const trainer = new Trainer({ model: net(), plugins: [noise(0.1)] });
  expect(trainer.explain()).toContain('beforeLayerForward  noise (NOISE)');
  expect(trainer.explain()).toContain('afterBackward  clip (CLIP)');
});

test('trace tells which tap changed which norm', async () => {
  const { data, dispose } = rows(8);
  const trainer = new Trainer({ model: net(), plugins: [noise(0.1)], epochs: 1, trace: true });
  await trainer.fit(data);
  const entry = trainer.trace!.entries.find(({ hook }) => hook === 'beforeLayerForward')!;
  expect(entry.plugin).toBe('noise');
  expect(entry.after).not.toBe(entry.before);
  dispose();
});

test('measures every so many steps, pauses between steps, and goes on from a pause as if there had been none', async () => {
  const { data, dispose } = rows();
  const options = { batchSize: 8, epochs: 2, optimizer: { learningRate: 0.05 }, seed: 3 };
  const evaluateEvery = 4;
  const first = net();
  const trainer = new Trainer({ ...options, model: first, evaluateEvery, keepBest: 'loss' });
  const measured: [epoch: number, step: number, loss: number][] = [];
  trainer.hooks.onEvaluation.tapPromise('test', async ({ epoch, step, metrics }) => {
    measured.push([epoch, step, metrics.loss!]);
    await Promise.resolve();
  });
  let middle: Snapshot | undefined;
  trainer.hooks.onPause.tapPromise('test', async ({ step }) => {
    if (step === 5) middle = await trainer.snapshot();
  });
  const report = await trainer.fit(data, { validation: data });
  expect(measured.map(([epoch, step]) => [epoch, step])).toEqual([
    [0, 4],
    [0, 6],
    [1, 8],
    [1, 12],
  ]);
  const lowest = Math.min(...measured.map(([, , loss]) => loss));
  expect(report.best).toEqual({ value: lowest, epoch: measured.find(([, , loss]) => loss === lowest)![0] });
  const second = net();
  await new Trainer({ ...options, model: second, evaluateEvery, keepBest: 'loss' }).fit(data, {
    validation: data,
    resume: middle!,
  });
  expect(second.getWeights().map((weight) => [...weight.dataSync()])).toEqual(
    first.getWeights().map((weight) => [...weight.dataSync()]),
  );
  dispose();
});
