import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

test('third-party-plugin: a plugin in under 30 lines trains beside a published one', async () => {
  const { report, metrics } = await import('./third-party-plugin/third-party-plugin.js');
  expect(report.steps).toBe(60);
  expect(metrics.accuracy).toBeGreaterThan(0.9);
  const source = readFileSync(new URL('./third-party-plugin/third-party-plugin.ts', import.meta.url), 'utf8');
  const plugin = /^export class GradientNoise[\s\S]*?^}/m.exec(source)![0];
  expect(plugin.split('\n').length).toBeLessThan(30);
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
