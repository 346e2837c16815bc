import { expect, test } from 'vitest';

// The examples on texts as people run them, with the pre-trained model, which is downloaded where it is not in the cache.
test('the examples learn what they are meant to', { timeout: 600_000 }, async () => {
  const tickets = await import('./tickets/tickets.js');
  expect(tickets.answers.map(({ label }) => label)).toEqual(['billing', 'bug']);
  const several = await import('./multi-label/multi-label.js');
  expect(several.answers.map(({ labels }) => labels)).toEqual([['billing', 'urgent'], ['bug']]);
  const words = await import('./token-classification/token-classification.js');
  expect(words.answers[0]!.labels).toEqual(['O', 'O', 'B-PRODUCT', 'I-PRODUCT', 'O', 'B-TOWN', 'O']);
  const values = await import('./regression/regression.js');
  const [good, bad] = values.answers.map(({ values }) => values!['value']!);
  expect(good! - bad!).toBeGreaterThan(1.5);
  const { fit } = await import('./lora/lora.js');
  expect(fit.metrics['accuracy']).toBe(1);
});

test('the sweep sees that strong noise harms, and draws every run', { timeout: 600_000 }, async () => {
  const { picture, runs } = await import('./sweep/sweep.js');
  expect(Math.max(...runs.at(-1)!)).toBeLessThan(Math.min(...runs[0]!));
  expect(picture.match(/<circle/g)).toHaveLength(runs.flat().length);
});
