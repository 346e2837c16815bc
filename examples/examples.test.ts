import { readdirSync, readFileSync } from 'node:fs';
import { expect, expectTypeOf, test } from 'vitest';

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

test('every example has a page of at most ten lines or so, which says how to run it', () => {
  const folders = readdirSync(new URL('.', import.meta.url), { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && entry.name !== 'node_modules',
  );
  for (const { name } of folders) {
    const page = readFileSync(new URL(`./${name}/README.md`, import.meta.url), 'utf8');
    expect(page.trim().split('\n').length).toBeLessThanOrEqual(14);
    expect(page).toContain(`examples/${name}/${name}.ts`);
  }
});
