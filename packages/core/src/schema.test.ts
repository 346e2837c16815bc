import { expect, test } from 'vitest';
import { z } from 'zod';
import { complete, defaultText, describeSettings, jsonSchema } from './schema.js';

const declared = {
  rate: z.number().gt(0).max(1).default(1e-5).meta({ description: 'how much', paper: '1e-5' }),
  kind: z.enum(['soft', 'hard']).default('soft').describe('which'),
  layers: z.array(z.int().min(0)).optional().describe('where'),
  clip: z.union([z.number().min(0), z.literal('off')]).optional(),
  dropout: z.strictObject({ hidden: z.number().min(0).lt(1).optional() }).optional(),
  fast: z.boolean().default(false),
};
const fail = (given: object): string => {
  try {
    complete('x', declared, given);
  } catch (error) {
    return (error as Error).message;
  }
  return 'accepted';
};

test('defaults are filled in, what is given stays', () => {
  expect(complete('x', declared, {})).toEqual({ rate: 1e-5, kind: 'soft', fast: false });
  const given = { rate: 1, kind: 'hard', layers: [2], clip: 'off', dropout: { hidden: 0 }, fast: true };
  expect(complete('x', declared, given)).toEqual(given);
});

test.each([
  [{ rate: 0 }, 'x: rate must be a finite number > 0 and <= 1, got 0.'],
  [{ rate: NaN }, 'x: rate must be a finite number > 0 and <= 1, got NaN.'],
  [{ rate: '1' }, "x: rate must be a finite number > 0 and <= 1, got '1'."],
  [{ kind: 'sof' }, "x: kind must be one of 'soft', 'hard', got 'sof'."],
  [{ layers: 3 }, 'x: layers must be a list, each entry an integer >= 0, got 3.'],
  [{ layers: [1, 0.5] }, 'x: layers[1] must be an integer >= 0, got 0.5.'],
  [{ clip: 'on' }, "x: clip must be a finite number >= 0 or 'off', got 'on'."],
  [{ dropout: { hidden: 1 } }, 'x: dropout.hidden must be a finite number >= 0 and < 1, got 1.'],
  [{ dropout: { hiden: 0 } }, "x: unknown option 'dropout.hiden', did you mean 'dropout.hidden'?"],
  [{ fast: 1 }, 'x: fast must be true or false, got 1.'],
  [{ rat: 1 }, "x: unknown option 'rat', did you mean 'rate'?"],
  [{ lambda: 1 }, "x: unknown option 'lambda'; it has 'rate', 'kind', 'layers', "],
])('%o is refused with its place', (given, message) => {
  expect(fail(given)).toContain(message);
});

test.each([
  [
    z.tuple([z.number().min(0), z.boolean()]),
    'y',
    "x: it must be a list of a finite number >= 0, true or false, got 'y'.",
  ],
  [z.number().nullable(), 'y', "x: it must be a finite number or null, got 'y'."],
  [z.string().min(1), '', "x: it must be a string that is not empty, got ''."],
  [z.string().regex(/^a/), 'y', "x: it must be a string that matches ^a, got 'y'."],
  [
    z.array(z.number()).max(2),
    [1, 2, 3],
    'x: it must be a list of at most 2, each entry a finite number, got [1,2,3].',
  ],
  [
    z.array(z.number()).min(1).max(2),
    [],
    'x: it must be a list of 1 to 2, each entry a finite number, got [].',
  ],
  [z.array(z.number()).length(2), [1], 'x: it must be a list of 2, each entry a finite number, got [1].'],
  [z.int().multipleOf(2), 3, 'x: it must be an integer, a multiple of 2, got 3.'],
])('what %o wants is said whatever it declares', (schema, value, message) => {
  expect(() => complete('x', { it: schema }, { it: value })).toThrow(message);
});

test('an entry of a list of several kinds, and a value by name, are said to want what they want', () => {
  const declared = { pair: z.tuple([z.number(), z.boolean()]), weights: z.record(z.string(), z.number()) };
  expect(() => complete('x', declared, { pair: [1, 2], weights: {} })).toThrow(
    'x: pair[1] must be true or false, got 2.',
  );
  expect(() => complete('x', declared, { pair: [1, true], weights: { a: 'b' } })).toThrow(
    "x: weights.a must be a finite number, got 'b'.",
  );
});

test('as data: type, default, doc, range, choices and what the paper uses', () => {
  const info = describeSettings(declared);
  expect(info['rate']).toEqual({
    ...{ type: 'number', default: 1e-5, doc: 'how much', paper: '1e-5' },
    range: 'a finite number > 0 and <= 1',
  });
  expect(info['kind']).toMatchObject({ type: 'string', choices: ['soft', 'hard'] });
  expect(Object.values(info).map(({ type }) => type)).toEqual([
    ...['number', 'string', 'list', 'object', 'object', 'boolean'],
  ]);
  expect(Object.values(info).map(defaultText)).toEqual(['1e-5', 'soft', '', '', '', 'false']);
});

test('the JSON schema refuses what is not declared and requires nothing', () => {
  expect(jsonSchema(declared)).toMatchObject({
    ...{ type: 'object', additionalProperties: false },
    properties: { rate: { type: 'number', exclusiveMinimum: 0, maximum: 1, description: 'how much' } },
  });
  expect(jsonSchema(declared)).not.toHaveProperty('required');
});
