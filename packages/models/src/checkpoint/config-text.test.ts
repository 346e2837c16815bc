import { expect, test } from 'vitest';
import { configText } from './config-text.js';

test('whole numbers are floats where Python wants floats, at any depth, and nowhere else', () => {
  const config = {
    ...{ layer_norm_eps: 1, initializer_range: 0.02, hidden_size: 8, other_eps: 1e30 },
    rope_parameters: { rope_theta: 10000, factor: 2 },
    label2id: { price_range: 0, risk_factor: 1 },
    id2label: { 0: 'price_range', 1: 'risk_factor' },
  };
  const text = configText(config);
  expect(JSON.parse(text)).toEqual(config);
  expect(text).toContain('"layer_norm_eps": 1.0,');
  expect(text).toContain('"rope_theta": 10000.0,');
  expect(text).toContain('"hidden_size": 8,');
  expect(text).toContain('"price_range": 0,');
  expect(text).toContain('"risk_factor": 1\n');
});
