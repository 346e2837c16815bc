import { expect, expectTypeOf, test } from 'vitest';
import { z } from 'zod';
import { defineMethod, isMethod, isMethodPlugin, variantOf } from './method.js';
import type { Plugin, PluginHost } from './plugin.js';

const seen: unknown[] = [];
const noise = defineMethod({
  name: 'some-noise',
  summary: 'Adds noise.',
  source: 'Nobody, 2020',
  cost: 'none',
  options: {
    scale: z.number().min(0).default(0.1).describe('how much'),
    kind: z.enum(['normal', 'uniform']).default('normal'),
    layers: z.array(z.int()).optional(),
  },
  pairs: { warn: { other: 'Both add noise.' } },
  check: ({ scale, kind }) =>
    kind === 'uniform' && scale > 1 ? 'scale must be at most 1 where kind is uniform.' : undefined,
  apply(host, options) {
    expectTypeOf(options.kind).toEqualTypeOf<'normal' | 'uniform'>();
    expectTypeOf(options.scale).toEqualTypeOf<number>();
    seen.push([host.name, options]);
  },
});

test('calling it makes a plugin with complete options, which apply gets', () => {
  const plugin = noise({ scale: 2 });
  expect(plugin).toMatchObject({ name: 'some-noise', pairs: { warn: { other: 'Both add noise.' } } });
  expect(plugin.options).toEqual({ scale: 2, kind: 'normal' });
  expect(plugin.given).toEqual({ scale: 2 });
  expect(plugin.method).toBe(noise);
  plugin.apply({ name: 'some-noise' } as PluginHost);
  expect(seen).toEqual([['some-noise', { scale: 2, kind: 'normal' }]]);
});

test('what is given is checked, by itself and together', () => {
  expect(() => noise({ scale: -1 })).toThrow('some-noise: scale must be a finite number >= 0, got -1.');
  expect(() => noise.create({ scal: 1 })).toThrow("some-noise: unknown option 'scal', did you mean 'scale'?");
  expect(() => noise({ kind: 'uniform', scale: 2 })).toThrow(
    'some-noise: scale must be at most 1 where kind is uniform.',
  );
  // @ts-expect-error: it has no such kind
  expect(() => noise({ kind: 'other' })).toThrow('some-noise: kind must be one of');
  expect(() => defineMethod({ ...noise, name: 'SomeNoise', options: {}, apply: () => undefined })).toThrow(
    "defineMethod: the name must be kebab-case, as 'my-noise', got 'SomeNoise'.",
  );
});

test('it describes itself', () => {
  expect(isMethod(noise)).toBe(true);
  expect([isMethod(noise()), isMethod(() => noise()), isMethod(undefined)]).toEqual([false, false, false]);
  const bare: Plugin = { name: 'bare', apply: () => undefined };
  expect([isMethodPlugin(noise()), isMethodPlugin(bare)]).toEqual([true, false]);
  expect([noise.name, noise.summary, noise.source, noise.cost]).toEqual([
    ...['some-noise', 'Adds noise.', 'Nobody, 2020', 'none'],
  ]);
  expect(noise.options['scale']).toMatchObject({ default: 0.1, doc: 'how much' });
  expect(noise.schema).toMatchObject({ properties: { kind: { enum: ['normal', 'uniform'] } } });
});

test('a variant has another name and other defaults, and makes the same plugin', () => {
  const loud = variantOf(noise, { name: 'loud-noise', summary: 'Adds much noise.' }, { scale: 5 });
  expect([loud.name, loud.summary, loud.source]).toEqual(['loud-noise', 'Adds much noise.', 'Nobody, 2020']);
  const renamed = variantOf(noise, { name: 'renamed', summary: 'Adds noise.', source: 'Somebody, 2021' }, {});
  expect([renamed.source, noise.source]).toEqual(['Somebody, 2021', 'Nobody, 2020']);
  expect(loud.options['scale']!.default).toBe(5);
  expect(loud.schema).toMatchObject({ properties: { scale: { default: 5 }, kind: { default: 'normal' } } });
  expect(noise.options['scale']!.default).toBe(0.1);
  const plugin = loud({ kind: 'uniform', scale: 1 });
  expect([plugin.name, plugin.method]).toEqual(['some-noise', noise]);
  expect(loud.create().given).toEqual({ scale: 5 });
});
