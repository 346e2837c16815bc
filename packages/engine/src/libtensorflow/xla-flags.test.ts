import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { mergeLoops, userFlags } from './xla-flags.js';

beforeEach(() => {
  vi.stubEnv('XLA_FLAGS', undefined);
});
afterEach(() => {
  vi.unstubAllEnvs();
});

describe('mergeLoops', () => {
  test('adds to the flags of the user, once', () => {
    process.env['XLA_FLAGS'] = '--xla_dump_to=there';
    expect(mergeLoops('2.21.0')).toBe(true);
    const flags = process.env['XLA_FLAGS'];
    expect(flags).toMatch(/^--xla_dump_to=there --xla_backend_extra_options=\S+$/);
    expect(mergeLoops('2.22.1')).toBe(true);
    expect(process.env['XLA_FLAGS']).toBe(flags);
    expect(userFlags()).toBe('--xla_dump_to=there');
  });

  test('leaves an earlier TensorFlow as it is', () => {
    for (const version of ['2.15.1', '2.20.0']) expect(mergeLoops(version)).toBe(false);
    expect(process.env['XLA_FLAGS']).toBeUndefined();
  });

  test("leaves the user's own extra options", () => {
    process.env['XLA_FLAGS'] = '--xla_backend_extra_options=xla_cpu_optimize_for_size=true';
    expect(mergeLoops('2.21.0')).toBe(false);
    expect(userFlags()).toBe('--xla_backend_extra_options=xla_cpu_optimize_for_size=true');
  });
});
