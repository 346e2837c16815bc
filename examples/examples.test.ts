import { readdirSync, readFileSync } from 'node:fs';
import { beforeAll, describe, expect, expectTypeOf, test } from 'vitest';
import { scratch } from '../packages/cli/test/scratch.js';
import { tinyModel } from '../packages/cli/test/tiny-model.js';

test('third-party-plugin: a method in fifteen lines trains beside a published one', async () => {
  const { report, metrics } = await import('./third-party-plugin/third-party-plugin.js');
  expect(report.steps).toBe(60);
  expect(metrics.accuracy).toBeGreaterThan(0.9);
  const source = readFileSync(new URL('./third-party-plugin/gradient-noise.ts', import.meta.url), 'utf8');
  const declaration = /^export const gradientNoise[\s\S]*?^}/m.exec(source)![0];
  expect(declaration.split('\n').length).toBeLessThanOrEqual(15);
});

test('third-party-plugin: its options are typed and its errors say what is wrong', async () => {
  const { gradientNoise } = await import('./third-party-plugin/gradient-noise.js');
  expectTypeOf(gradientNoise).parameter(0).toEqualTypeOf<{ variance?: number | undefined } | undefined>();
  expect(gradientNoise({ variance: 0.1 }).options).toEqual({ variance: 0.1 });
  expect(() => gradientNoise({ variance: -1 })).toThrow(
    'gradient-noise: variance must be a finite number >= 0, got -1.',
  );
  expect(() => gradientNoise.create({ varience: 1 })).toThrow(
    "gradient-noise: unknown option 'varience', did you mean 'variance'?",
  );
});

test('own-model: HyPe on a tf.sequential', async () => {
  const { evaluation, classes } = await import('./own-model/own-model.js');
  expect(evaluation.metrics.accuracy).toBeGreaterThan(0.85);
  expect(classes).toEqual([0, 1]);
});

test('flooding: keeps the training loss near its level', async () => {
  const { plain, flooded } = await import('./flooding/flooding.js');
  expect(plain).toBeLessThan(0.15);
  expect(flooded).toBeGreaterThan(plain + 0.1);
});

test('distillation: taught, the small model is better than alone', async () => {
  const { alone, taught } = await import('./distillation/distillation.js');
  expect(taught).toBeGreaterThan(alone);
});

// A model of one layer stands for the pre-trained one here; examples.deep.test.ts takes that.
describe('on texts', () => {
  const home = scratch();
  beforeAll(async () => {
    process.env['EXAMPLE_MODEL'] = await tinyModel(home);
    process.env['HYPETUNE_ENGINE'] = 'cpu';
    return () => {
      delete process.env['EXAMPLE_MODEL'];
      delete process.env['HYPETUNE_ENGINE'];
    };
  });

  test('tickets: a table in, a saved run that predicts out', async () => {
    const { fit, answers } = await import('./tickets/tickets.js');
    expect(fit.training.steps).toBe(24);
    expect(answers.map(({ label }) => ['billing', 'bug', 'how-to'].includes(label!))).toEqual([true, true]);
  });

  test('multi-label: every label has a probability', async () => {
    const { answers } = await import('./multi-label/multi-label.js');
    expect(Object.keys(answers[0]!.probabilities)).toEqual(['billing', 'bug', 'urgent']);
  });

  test('token-classification: one label a word', async () => {
    const { answers } = await import('./token-classification/token-classification.js');
    expect(answers[0]!.labels).toHaveLength(7);
  });

  test('regression: one value a text', async () => {
    const { fit, answers } = await import('./regression/regression.js');
    expect(fit.metrics['pearson']).toBeTypeOf('number');
    expect(Object.keys(answers[0]!.values!)).toHaveLength(1);
  });

  test('lora: a model is saved with the product merged in', async () => {
    const { fit } = await import('./lora/lora.js');
    expect(fit.training.steps).toBe(20);
  });
});

test('every example has a page that fits a screen and says how to run it', () => {
  const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !['node_modules', '.hypetune'].includes(entry.name),
  );
  for (const { name } of folders) {
    const page = readFileSync(new URL(`./${name}/README.md`, import.meta.url), 'utf8');
    expect(page.trim().split('\n').length).toBeLessThanOrEqual(28);
    // A program, or a config for the command.
    expect(page).toMatch(new RegExp(`examples/${name}/[\\w-]+\\.(ts|yaml)`));
  }
});
